"""Tags for pages on which the same thing stands in many places."""

from __future__ import annotations

from typing import Any, cast

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context

register = template.Library()


@register.tag
def once(parser: Parser, token: Token) -> Once:
    """{% once visit.pk %}…{% endonce %} draws what is inside once for each value, and repeats it.

    It must say the same wherever the value is the same; what differs by place stands outside.
    """
    try:
        _, key = token.split_contents()
    except ValueError as error:
        raise template.TemplateSyntaxError("{% once %} takes one value to tell by") from error
    inside = parser.parse(("endonce",))
    parser.delete_first_token()
    return Once(parser.compile_filter(key), inside)


class Once(template.Node):
    """What was drawn is kept as long as the template is rendered."""

    def __init__(self, key: FilterExpression, inside: NodeList) -> None:
        self.key, self.nodelist = key, inside

    def render(self, context: Context) -> Any:
        drawn = cast(dict[Any, str], context.render_context.setdefault(self, cast(Any, {})))
        key = self.key.resolve(context)
        if key not in drawn:
            drawn[key] = self.nodelist.render(context)
        return drawn[key]
