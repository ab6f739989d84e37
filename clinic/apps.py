from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self) -> None:
        """Sentences of modules that know no Django are said in the language of the request."""
        from clinic import reader_language, saying

        saying.speak(reader_language.READER)
