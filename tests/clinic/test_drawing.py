"""Drawing once what stands in many places."""

import pytest
from django.template import Context, Template, TemplateSyntaxError


def test_once_draws_each_value_once_and_repeats_it() -> None:
    drawn: list[int] = []

    class Visit:
        def __init__(self, pk: int) -> None:
            self.pk = pk

        def name(self) -> str:
            drawn.append(self.pk)
            return f"<{self.pk}>"

    page = Template(
        "{% load drawing %}{% for each in visits %}{{ forloop.counter }}"
        "{% once each.pk %}{{ each.name }}{% endonce %} {% endfor %}"
    )
    twice = [Visit(7), Visit(8), Visit(7)]
    assert page.render(Context({"visits": twice})) == "1&lt;7&gt; 2&lt;8&gt; 3&lt;7&gt; "
    assert drawn == [7, 8]
    page.render(Context({"visits": twice}))
    assert drawn == [7, 8, 7, 8]


def test_once_needs_to_know_what_is_the_same() -> None:
    with pytest.raises(TemplateSyntaxError, match="one value"):
        Template("{% load drawing %}{% once %}{% endonce %}")
