"""What was written comes back into the form it was written in, and nothing else moves."""

from html import escape, unescape

from hypothesis import given
from hypothesis import strategies as st

from clinic.refilling import refill

PAGE = """<main><p>Tea &amp; biscuits &copy</p>
<form action="/other/" method="post"><input name="name" value="theirs"></form>
<form action="/patients/" role="search"><input name="name" value="found"></form>
<details><summary>More</summary>
<form method="post" action="/patients/31/?site=a">
  <input type="hidden" name="csrfmiddlewaretoken" value="fresh">
  <input type="hidden" name="version" value="8">
  <input name="name" value="Elena"><textarea name="notes">
old &lt;b&gt;</textarea>
  <input type="checkbox" name="area" value="face" checked>
  <input type="checkbox" name="area" value="neck">
  <input type="radio" name="way" value="sms" checked>
  <input type="radio" name="way" value="email">
  <select name="lang"><option value="en" selected>En</option><option value="es">Es</option></select>
  <input type="file" name="photo"><input type="password" name="secret">
  <button name="act" value="save">Save</button>
  <input name="line" value=""><input name="line" value="">
</form></details><input name="apart" form="kept-form"></main>"""
ENTRIES = [
    *(("version", "7"), ("name", 'Ana "A" <x>'), ("notes", "one\n<i>two</i>"), ("area", "neck")),
    *(("way", "email"), ("lang", "es"), ("act", "save"), ("line", "1"), ("line", "2")),
]


def filled(
    entries: list[tuple[str, str]], page: str = PAGE, address: str = "/patients/31/?site=a"
) -> str:
    html = refill(page, page="/patients/31/?site=a", address=address, entries=entries)
    assert html is not None
    return html


def test_every_kind_of_field_has_what_was_sent() -> None:
    html = filled(ENTRIES)
    for said in (
        '<input type="hidden" name="version" value="7">',
        '<input name="name" value="Ana &quot;A&quot; &lt;x&gt;">',
        '<textarea name="notes">\none\n&lt;i&gt;two&lt;/i&gt;</textarea>',
        '<input type="checkbox" name="area" value="face">',
        '<input type="checkbox" name="area" value="neck" checked>',
        '<input type="radio" name="way" value="sms">',
        '<input type="radio" name="way" value="email" checked>',
        '<option value="en">En</option><option value="es" selected>Es</option>',
        '<input name="line" value="1"><input name="line" value="2">',
        "<details open><summary>More</summary>",
        '<form method="post" action="/patients/31/?site=a" id="kept-form">',
    ):
        assert said in html, html


def test_nothing_else_moves() -> None:
    html = filled(ENTRIES)
    for said in (
        "<p>Tea &amp; biscuits &copy</p>",
        '<input name="name" value="theirs">',
        '<input name="name" value="found">',
        'value="fresh"',
        '<input type="file" name="photo"><input type="password" name="secret">',
    ):
        assert said in html
    same = [("version", "8"), ("name", "Elena"), ("notes", "old <b>"), ("area", "face")]
    same += [("way", "sms"), ("lang", "en")]
    shown = filled(same).replace(' id="kept-form"', "").replace("<details open>", "<details>")
    assert shown == PAGE


def test_without_a_form_for_it_there_is_nothing_to_fill() -> None:
    assert refill(PAGE, page="/x/", address="/elsewhere/", entries=ENTRIES) is None
    # A search is not sent again.
    assert refill(PAGE, page="/x/", address="/patients/", entries=ENTRIES) is None
    # Nor does the form of another site get it.
    assert refill(PAGE, page="/x/", address="/patients/31/?site=b", entries=ENTRIES) is None


def test_of_two_forms_of_one_address_it_is_the_one_with_its_fields() -> None:
    page = (
        '<form method="post"><input name="a" value=""></form>'
        '<form method="post"><input name="b" value=""></form>'
    )
    html = refill(page, page="/x/?y=1", address="/x/?y=1", entries=[("b", "2")])
    assert html is not None and '<input name="b" value="2">' in html
    assert '<form method="post"><input name="a" value=""></form>' in html


def test_a_button_that_leads_elsewhere_leads_to_its_form() -> None:
    page = '<form method="post" action="/a/"><input name="n" value=""><button hx-post="/b/"></form>'
    assert 'value="3"' in filled([("n", "3")], page, "/b/")


def test_an_option_without_a_value_is_known_by_its_words() -> None:
    page = (
        '<form method="post"><select name="a"><option selected>Face<option> Neck &amp;\n chest '
        '</option><option value="">Neck & chest</select></form>'
    )
    html = filled([("a", "Neck & chest")], page)
    assert "<option>Face<option selected> Neck" in html and '<option value="">' in html


@given(st.text(), st.text(alphabet="<>&\"'=/ax\n"))
def test_whatever_was_written_comes_back_as_words_and_never_as_a_tag(one: str, two: str) -> None:
    html = filled([("name", one), ("notes", two)])
    assert html.count("<form") == PAGE.count("<form") and html.count("<b") == PAGE.count("<b")
    _, _, rest = html.partition('<textarea name="notes">\n')
    assert unescape(rest.partition("</textarea>")[0]) == unescape(escape(two))
    _, _, rest = html.partition('<input name="name" value="theirs">')
    shown = rest.split('name="name" value="')[2].partition('"')[0]
    assert unescape(shown) == unescape(escape(one))
