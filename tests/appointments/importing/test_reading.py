"""Days, times, names and columns as former systems write them."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.importing import arranging, columns, dates, deciding, names, nearest, placing
from appointments.importing.dates import Evidence, NoDate, Order
from appointments.importing.deciding import Facts, Known, Outcome
from appointments.importing.placing import Taken
from clinic.retelling import retold

LATEST = date(2027, 2, 15)
DMY, MDY = Order.DAY_FIRST, Order.MONTH_FIRST


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-04-03", None, date(2026, 4, 3)),
        ("20260403", None, date(2026, 4, 3)),
        ("03/04/2026", DMY, date(2026, 4, 3)),
        ("03/04/2026", MDY, date(2026, 3, 4)),
        ("3.4.2026", None, date(2026, 4, 3)),
        ("25/4/88", DMY, date(1988, 4, 25)),
        ("4/25/26", MDY, date(2026, 4, 25)),
        ("04/04/2026", None, date(2026, 4, 4)),
        ("3 April 2026", None, date(2026, 4, 3)),
        ("3-Apr-26", None, date(2026, 4, 3)),
        ("Apr 3rd, 2026", None, date(2026, 4, 3)),
        ("3 de abril de 2026", None, date(2026, 4, 3)),
    ],
)
def test_days_are_read(text: str, order: Order | None, day: date) -> None:
    assert dates.as_day(text, order=order, latest=LATEST) == day


@pytest.mark.parametrize(
    ("text", "order"),
    [("03/04/2026", None), ("25/04/2026", MDY), ("04/25/2026", DMY), ("30.2.2026", None),
     ("soon", DMY), ("13/13/2026", DMY), ("3 Foo 2026", None), ("45123", None)],
)  # fmt: skip
def test_what_is_no_day_or_two_is_refused(text: str, order: Order | None) -> None:
    with pytest.raises(NoDate):
        dates.as_day(text, order=order, latest=LATEST)


def test_a_file_tells_its_order_by_any_date_that_can_only_be_one() -> None:
    assert dates.order_of(["03/04/2026", "25/04/2026"]).order is DMY
    assert dates.order_of(["03/04/2026", "04/25/2026"]).order is MDY
    assert dates.order_of(["03/04/2026", "05/05/2026"]) == Evidence(None, "03/04/2026")
    assert dates.order_of(["25/04/2026", "04/25/2026"]).mixed
    assert dates.order_of(["2026-04-03", "3.4.2026", "", "05/05/2026"]) == Evidence()


@given(st.dates(date(1930, 1, 1), LATEST), st.sampled_from([DMY, MDY]))
def test_a_day_written_in_an_order_is_read_in_it(day: date, order: Order) -> None:
    written = f"{day:%d/%m/%Y}" if order is DMY else f"{day:%m/%d/%Y}"
    assert dates.as_day(written, order=order, latest=LATEST) == day


@pytest.mark.parametrize(
    ("text", "at"),
    [("14:30", time(14, 30)), ("2:30 PM", time(14, 30)), ("12:05 am", time(0, 5)),
     ("2pm", time(14)), ("14.30", time(14, 30)), ("1430", time(14, 30)), ("9:00:00", time(9))],
)  # fmt: skip
def test_times_are_read(text: str, at: time) -> None:
    assert dates.as_time(text) == at


@pytest.mark.parametrize("text", ["", "25:00", "14", "13 pm", "soon"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NoDate):
        dates.as_time(text)


@pytest.mark.parametrize(
    ("day", "clock"),
    [("2027-03-12", "10:00"), ("2027-03-12 10:00", ""), ("2027-03-12T10:00", ""),
     ("03/12/2027 10:00 AM", ""), ("2027-03-12T15:00:00Z", "")],
)  # fmt: skip
def test_a_moment_stands_in_one_cell_or_two(day: str, clock: str) -> None:
    at, _ = dates.as_moment(day, clock, order=MDY, zone="America/New_York", latest=LATEST)
    assert at == datetime(2027, 3, 12, 15, tzinfo=UTC)


def test_clocks_that_change_are_told() -> None:
    with pytest.raises(NoDate, match="does not exist"):
        dates.as_moment("2027-03-14 02:30", "", order=None, zone="America/New_York", latest=LATEST)
    at, remark = dates.as_moment(
        "2027-11-07 01:30", "", order=None, zone="America/New_York", latest=LATEST
    )
    assert at == datetime(2027, 11, 7, 5, 30, tzinfo=UTC) and "comes twice" in remark


@pytest.mark.parametrize(
    ("whole", "given", "family"),
    [
        ("Dr. Anna van der Berg", "Anna", "van der Berg"),
        ("van der Berg, Dr Anna", "Anna", "van der Berg"),
        ("Mrs Mary Jane Watson", "Mary Jane", "Watson"),
        ("John Smith, MD", "John", "Smith"),
        ("Juan de la Cruz", "Juan", "de la Cruz"),
        ("Cher", "Cher", ""),
    ],
)
def test_a_whole_name_is_parted(whole: str, given: str, family: str) -> None:
    assert names.parted(whole) == (given, family)


def test_a_formula_is_nobodys_name() -> None:
    assert names.can_be("O'Neil") and names.can_be("Núñez-Ó")
    assert not any(map(names.can_be, ("=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "123", "")))


def test_columns_are_guessed_once_each() -> None:
    header = ["Client ID", "First Name", "Surname", "D.O.B.", "Cell Phone", "E-Mail", "Service"]
    assert columns.guessed(header) == {
        "patient_id": "Client ID", "given": "First Name", "family": "Surname",
        "birth_date": "D.O.B.", "phone": "Cell Phone", "email": "E-Mail", "protocol": "Service",
    }  # fmt: skip


def test_a_start_is_a_time_beside_a_date_and_both_without_one() -> None:
    guessed = columns.guessed(["Client ID", "Appt Date", "Start"])
    assert (guessed["date"], guessed["time"]) == ("Appt Date", "Start")
    alone = columns.guessed(["Client ID", "Start"])
    assert alone["date"] == "Start" and "time" not in alone


def test_what_is_no_moment_says_which_half_is_lacking() -> None:
    for cell, lacking in (("10:00", "has no date"), ("2026-04-03", "has no time of day")):
        with pytest.raises(NoDate) as refused:
            dates.as_moment(cell, "", order=None, zone="UTC", latest=LATEST)
        assert lacking in retold(str(refused.value))


@pytest.mark.parametrize(
    ("day", "clock", "order"),
    [
        ("2026-04-03", "2026-04-03 10:00", None),
        ("2026-04-03", "2026-04-03T10:00:00", None),
        ("2026-04-03", "2026-04-03T14:00:00Z", None),
        ("2026-04-03", "04/03/2026 10:00 AM", None),
        ("03/04/2026", "03/04/2026  10.00", dates.Order.DAY_FIRST),
    ],
)
def test_a_time_that_is_a_whole_moment_of_the_same_day_is_taken(
    day: str, clock: str, order: dates.Order | None
) -> None:
    at, _ = dates.as_moment(day, clock, order=order, zone="America/New_York", latest=LATEST)
    assert at == datetime(2026, 4, 3, 14, tzinfo=UTC)


def test_a_whole_moment_of_another_day_says_which_column_to_name() -> None:
    for clock in ("2026-04-04 10:00", "2026-04-04T02:00:00-04:00", "04/04/2026 10:00"):
        with pytest.raises(dates.NoTime) as refused:
            dates.as_moment("2026-04-03", clock, order=None, zone="America/New_York", latest=LATEST)
        said = retold(str(refused.value))
        assert f"“{clock}” is a moment of another day than “2026-04-03”." in said
        assert "Name its column as the date" in said


def test_an_unknown_name_lists_each_thing_once() -> None:
    names = [(f"{name}{way}", number) for number, name in enumerate("abcdefgh") for way in "xy"]
    with pytest.raises(nearest.Unknown) as refused:
        nearest.Lookup("room", names).find("cellar")
    assert retold(str(refused.value)).endswith("There is ax, bx, cx, dx, ex, fx and 2 more.")


def test_what_is_equal_is_one_thing_and_is_listed_by_its_first_name() -> None:
    names = [("Zoe", ["laser", 1]), ("Able", ["laser", 1]), ("Mid", ["laser", 2])]
    with pytest.raises(nearest.Unknown) as refused:
        nearest.Lookup("device", names).find("qqq")
    assert retold(str(refused.value)).endswith("There is Mid, Zoe.")


def _person(values: dict[str, str]) -> deciding.Person:
    return deciding.gathered("k", [(2, {"given": "A", "family": "B", "birth_date": "1980-01-01",
                                        **values}, "")])  # fmt: skip


TOLD = st.dictionaries(st.sampled_from(["phone", "email", "notes"]), st.sampled_from("xyz"))


@given(TOLD, TOLD)
def test_a_second_run_of_what_was_taken_changes_nothing(
    told: dict[str, str], here: dict[str, str]
) -> None:
    person = _person(told)
    facts = Facts(same=[Known(7, here)])
    first = deciding.decide(person, facts)
    said = deciding.remembered(person, facts, first)
    after = {**here, **first.changes}
    again = deciding.decide(person, Facts(known=Known(7, after, said)))
    assert first.outcome is Outcome.MATCH
    assert (again.outcome, again.changes) == (Outcome.SKIP, {})
    # Nothing that was here is ever overwritten.
    assert all(after[name] == value for name, value in here.items())


@given(st.permutations(range(6)))
def test_sessions_do_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    visits = [
        arranging.Visit(f"v{n}", datetime(2026, 1, 1 + n, tzinfo=UTC), session=3 if n == 1 else 0)
        for n in range(6)
    ]
    found = arranging.arranged([visits[n] for n in order], taken=[1])
    assert found.sessions == {"v0": 2, "v1": 3, "v2": 4, "v3": 5, "v4": 6, "v5": 7}
    full = arranging.arranged(visits, taken=range(1, 11))
    assert len(full.sessions) == 2 and len(full.refused) == 4


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12))
def test_what_is_taken_is_what_was_added(spans: list[tuple[int, int]]) -> None:
    taken, held = Taken(), set[int]()
    for first, length in spans:
        span = set(range(first, first + length))
        assert taken.is_free("x", first, first + length) == (not span & held)
        if not span & held:
            taken.add("x", first, first + length)
            held |= span
    assert placing.LONGEST == 24 * 12


def test_a_field_that_is_none_is_told_beside_one_of_the_same_column() -> None:
    for mapping in ({"foo": "A", "name": "A"}, {"name": "A", "foo": "A"}):
        found = columns.problems(mapping, ["A"])
        assert found["foo"] == "There is no field “foo”." and "name" not in found
