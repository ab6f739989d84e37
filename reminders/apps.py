from django.apps import AppConfig
from django.core import checks


class RemindersConfig(AppConfig):
    name = "reminders"

    def ready(self) -> None:
        from reminders.channels import agreements

        checks.register(agreements.check, agreements.TAG, deploy=True)
