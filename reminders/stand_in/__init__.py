"""A stand-in for the providers: Twilio's and Telnyx's HTTP APIs for texts, an SMTP server for mail.

It is one process (`manage.py stand_in`, `python -m reminders.stand_in`) or, in a test, a context
manager. It needs neither settings nor database, and it is not kinder than the real ones: the same
POST twice is two texts, Twilio cannot be asked by our own reference, lists have pages and may be
behind, callbacks are sent once and never repeated, and a text may be accepted without a word of
answer. In one thing it has to be
kinder: it calls back to addresses on this machine, which Twilio refuses with 21609.

    with StandIn() as provider:
        provider.http_url, provider.smtp_port, provider.texts, provider.mails
        provider.mode("429", count=2)

A mode holds for `count` submissions (1 unless told; 0 means until cleared) and modes queue up in
the order given. It is set by `StandIn.mode`, by POST /control {"mode": …, "count": …, "ms": …},
or by the destination itself:

| Mode                 | Number ends in | What happens to a text                                |
|----------------------|----------------|-------------------------------------------------------|
| slow                 | 9008           | the answer comes after `ms` (3000 unless told)        |
| 429                  | 9429           | HTTP 429, code 20429, Retry-After: 1; not taken       |
| 429_date             | 9428           | the same, with the date of a minute later             |
| 500                  | 9500           | HTTP 500, code 20500; not taken                       |
| 500_after_accept     | 9501           | HTTP 500, code 20500; but taken and delivered         |
| garbage              | 9999           | HTTP 201 with a body that is not JSON; taken          |
| drop_before_accept   | 9001           | the connection is cut; not taken                      |
| drop_after_accept    | 9000           | taken and delivered; the connection is cut            |
| a code 2xxxx         | 9610 → 21610, 9211 → 21211, 9614 → 21614 | HTTP 400 with this code     |
| a code 3xxxx         | 9003 → 30003, 9007 → 30007 | taken; the last callback carries this code |
| a code 403xx, 100xx  | as above, in Telnyx's codes | HTTP 422, or 403, with this code          |
| a code 400xx         | as above, in Telnyx's codes | taken; the last callback carries this code |
| late_list            |                | until `clear`, a text is listed only after `ms`       |
| no_callback          | 9100           | taken and delivered; nobody is told                   |
| duplicate            | 9200           | every callback comes twice                            |
| out_of_order         | 9300           | callbacks come as delivered, sent, queued             |
| forged               | 9403           | callbacks are signed with a wrong token               |

| Mode                 | Mailbox is named | What happens to a mail                              |
|----------------------|------------------|-----------------------------------------------------|
| mail_slow            | slow@…           | the answer to the content comes after `ms`          |
| mail_550             | refused@…        | 550 5.1.1 to the recipient                          |
| mail_451             | later@…          | 451 4.7.1 to the recipient                          |
| mail_421             | busy@…           | 421 4.3.2 to the recipient, and the connection closes|
| mail_drop_before     | vanish@…         | the connection is cut at the recipient; not taken   |
| mail_drop_after      | drop@…           | taken; the connection is cut without an answer      |

A patient writes back by `StandIn.reply` or POST /reply {"text": …, "sender": …, "to": …, "url": …}:
it is reported to the url, signed, as Twilio reports an incoming text; with "provider": "telnyx" or
"postmark" as these report an incoming text or mail.

Reading: GET /received.json (texts and mails, oldest first), DELETE /received, GET /health.
"""

from reminders.stand_in.server import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    TELNYX_API_KEY,
    TELNYX_PROFILE_ID,
    StandIn,
)

__all__ = ["ACCOUNT_SID", "AUTH_TOKEN", "TELNYX_API_KEY", "TELNYX_PROFILE_ID", "StandIn"]
