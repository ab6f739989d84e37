"""What is sent and answered about the words of messages."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from clinic import access
from clinic.api_fields import Body, Instant, Seen
from reminders.models import WordingVersion
from reminders.rewording.drafting import LONGEST_PHRASE
from reminders.rewording.scopes import EDITABLE
from reminders.wording.findings import Level
from reminders.wording.texts import SOURCES
from reminders.wording.versions import PHRASES, Sources

_KINDS = [(kind.value, kind.value) for kind in EDITABLE]
_LANGUAGES = [(name, name) for name in SOURCES]
_PHRASE_HELP = {
    "sms": "The text message.",
    "sms_several": "About several visits; empty: the same.",
    "subject": "The subject of the e-mail.",
    "subject_several": "About several visits; empty: the same.",
    "opening": "The first paragraph of the e-mail.",
    "opening_several": "About several visits; empty: the same.",
    "closing": "The last paragraph of the e-mail; may be empty.",
}
EXAMPLE = {
    "site": 1,
    "kind": "reminder_final",
    "language": "en",
    "sms": "{sms_name}: [Hello {first_name}. |]We see you on {when}.[ Questions? Call {phone}.|]",
    "sms_several": "",
    "subject": "We see you on {when}",
    "subject_several": "Your next visits",
    "opening": "We look forward to seeing you.",
    "opening_several": "",
    "closing": "If you cannot come, call us on {phone}.",
}


class PhrasesSerializer(Body):
    """The phrases of a version, in the notation that the editor explains."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        written: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            name: serializers.CharField(
                allow_blank=True,
                default="",
                max_length=LONGEST_PHRASE,
                help_text=_PHRASE_HELP[name],
            )
            for name in PHRASES
        }
        return {**super().get_fields(), **written}


def sources_of(sent: dict[str, Any]) -> Sources:
    """The phrases of what was sent, taken out of it."""
    return {name: sent.pop(name) for name in PHRASES}


class ForSerializer(PhrasesSerializer):
    """Phrases with whose, of which kind and in which language they are."""

    site = Seen(access.sites_of, allow_null=True, help_text="The id of a site; null: of all sites.")
    kind = serializers.ChoiceField(choices=_KINDS)
    language = serializers.ChoiceField(choices=_LANGUAGES)


class DraftSerializer(ForSerializer):
    """A draft as it shall be; `digest` is that of the draft it changes, empty for a new one."""

    digest = serializers.CharField(allow_blank=True, default="", max_length=64)


class DigestSerializer(Body):
    """The `digest` of the draft as it was shown; when it is another by now, the answer is 409."""

    digest = serializers.CharField(max_length=64)


class PublishSerializer(DigestSerializer):
    accepted = serializers.ListField(
        child=serializers.CharField(max_length=300),
        default=list,
        max_length=100,
        help_text="The keys of the warnings that were read and accepted.",
    )


class FindingSerializer(serializers.Serializer[Any]):
    """One thing to be said of a text: an error bars publishing, a warning has to be accepted."""

    key = serializers.CharField(help_text="The name under which a warning is accepted.")
    code = serializers.CharField()
    level = serializers.ChoiceField(choices=[(level.value, level.value) for level in Level])
    phrase = serializers.CharField(allow_blank=True)
    found = serializers.CharField(allow_blank=True)
    what = serializers.CharField()
    mend = serializers.CharField()


class TextSampleSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # the name is the sample's here
    text = serializers.CharField(allow_blank=True)
    units = serializers.IntegerField(source="counted.units", allow_null=True, default=None)
    segments = serializers.IntegerField(source="counted.count", allow_null=True, default=None)
    encoding = serializers.CharField(source="counted.encoding", allow_null=True, default=None)
    problem = serializers.CharField(allow_blank=True)


class CheckedSerializer(serializers.Serializer[Any]):
    """What is to be said of phrases, and how patients would read the text message."""

    findings = FindingSerializer(many=True)
    samples = TextSampleSerializer(many=True)


class WordingSerializer(serializers.ModelSerializer[WordingVersion]):
    created_at = Instant()
    saved_at = Instant()
    published_at = Instant(allow_null=True)
    retired_at = Instant(allow_null=True)

    class Meta:
        model = WordingVersion
        fields: tuple[str, ...] = (
            *("id", "site", "kind", "language", "number", "state", *PHRASES, "digest"),
            *("created_at", "saved_at", "published_at", "retired_at"),
        )


class WordingDetailSerializer(WordingSerializer):
    findings = serializers.SerializerMethodField(help_text="All that is to be said of it.")
    waiting = serializers.SerializerMethodField(
        help_text="How many scheduled messages are written with what is published here."
    )

    class Meta(WordingSerializer.Meta):
        fields = (*WordingSerializer.Meta.fields, "findings", "waiting")
