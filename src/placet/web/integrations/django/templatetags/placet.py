"""`{% load placet %}`: a part of a page that a feature or a purpose opens.

{% placet_gate "comments" %}<form …>{% endplacet_gate %}
{% placet_explain "comments" %}
"""

from __future__ import annotations

from typing import Any

from django.template import Context, Library, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from ..consent import consent_of

register = Library()


@register.tag("placet_gate")
def placet_gate(parser: Parser, token: Token) -> Gate:
    """Show the part where the name is granted; else the part after `{% else %}`, or the sentence why not."""
    words = token.split_contents()
    if len(words) != 2:
        raise TemplateSyntaxError(f"{words[0]} takes one name, of a feature or a purpose")
    opened = parser.parse(("else", "endplacet_gate"))
    closed = None
    if parser.next_token().contents == "else":
        closed = parser.parse(("endplacet_gate",))
        parser.delete_first_token()
    return Gate(parser.compile_filter(words[1]), opened, closed)


@register.simple_tag(takes_context=True)
def placet_explain(context: Context, name: str) -> SafeString:
    """Return the sentence that says why a feature or purpose is off and how to turn it on."""
    return _sentence(context, name)


class Gate(Node):
    """What stands between `{% placet_gate %}` and `{% endplacet_gate %}`."""

    child_nodelists = ("opened", "closed")

    def __init__(self, name: FilterExpression, opened: NodeList, closed: NodeList | None) -> None:
        """Take the name and both parts."""
        self.name = name
        self.opened = opened
        self.closed = closed or NodeList()
        self._explains = closed is None

    def render(self, context: Context) -> SafeString:
        """Return the part that this visitor sees."""
        name = self.name.resolve(context)
        if consent_of(context["request"]).permits(name):
            return self.opened.render(context)
        return _sentence(context, name) if self._explains else self.closed.render(context)


def _sentence(context: Any, name: str) -> SafeString:
    language = (get_language() or "").partition("-")[0]
    return mark_safe(consent_of(context["request"]).explain(name, language))  # noqa: S308 - escaped where made
