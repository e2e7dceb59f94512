"""What the page says that asks for a server's options, as a screen reader finds it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page's form: its radio buttons, what they are called and described by, and what stands around them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.buttons: list[dict[str, str | None]] = []
        self.labels: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.legends: list[str] = []
        self.notes: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.outside = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where text belongs."""
        if tag == "input":
            if dict(attrs).get("type") == "radio":
                self.buttons.append(dict(attrs))
                self.outside += not any(name == "fieldset" for name, _ in self._open)
        elif tag not in ("br", "meta", "link", "img"):
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep the text of what names and describes."""
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag == "label":
            self.labels[attributes.get("for") or ""] = data
        elif tag == "legend":
            self.legends.append(data)
        elif attributes.get("role") == "status":
            self.notes.append(data)
        if identity := attributes.get("id"):
            self.texts[identity] = data

    def values(self, name: str) -> list[str | None]:
        """Return what can be chosen in a group."""
        return [each["value"] for each in self.buttons if each["name"] == name]

    def chosen(self, name: str) -> list[str | None]:
        """Return what is chosen beforehand."""
        return [each["value"] for each in self.buttons if each["name"] == name and "checked" in each]
