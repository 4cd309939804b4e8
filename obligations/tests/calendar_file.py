"""A small reader of calendar files (RFC 5545), strict about what the portal must write."""

import datetime as dt


def parse(content):
    """(properties of the calendar, its events), each {name: value} with TEXT unescaped."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    raw = content.split(b"\r\n")[:-1]
    assert max(map(len, raw)) <= 75
    lines = []
    for line in raw:
        line.decode()  # no letter is torn apart
        if line.startswith(b" "):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    calendar, events, stack = {}, [], []
    for line in lines:
        name, _, value = line.decode().partition(":")
        name = name.partition(";")[0]
        if name == "BEGIN":
            stack.append(value)
            if value == "VEVENT":
                events.append({})
        elif name == "END":
            assert stack.pop() == value
        else:
            into = events[-1] if stack == ["VCALENDAR", "VEVENT"] else calendar
            assert name not in into
            into[name] = unescaped(value) if name in ("UID", "SUMMARY", "DESCRIPTION") else value
    assert stack == []
    return calendar, events


def unescaped(text):
    out, letters = "", iter(text)
    for letter in letters:
        if letter == "\\":
            following = next(letters)
            out += "\n" if following in "nN" else following
        else:
            assert letter not in ";,"
            out += letter
    return out


def instant(text):
    assert text.endswith("Z")
    return dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
