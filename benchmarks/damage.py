"""Ways to damage an input, each drawn from a random source: for ``fuzz.py``."""

import gzip
import io
import random
import zipfile
from collections.abc import Sequence

PIECES = [
    *(b"<", b">", b"&", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&#0;", b"&#x110000;", b"&lol9;", b"\x1a"),
    *(b"<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY lol9 '&a;&a;&a;&a;'>]>", b"<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;"),
    *(b"<?xml version='1.0' encoding='utf-7'?>", b"xmlns:a='b'", b"\nPATN\n", b"us-patent-grant", b"\nABST\nPAL  "),
    *(b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"null", b"1e999", b"NaN", b"-0", b":", b"{}"),
    *(
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b'""',
        b'"\n"',
        b"=",
        b"=cmd|' /C calc'!A0",
        b"+1",
        b"@",
    ),
    *(b"\0", b"\0" * 40, b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xae"),
    *(b"PK\x03\x04", b"\x1f\x8b\x08", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF", b"\nER\n", b"PT P\n"),
    *("Ã¼".encode(), "，".encode(), "\u2028".encode(), "\u202e".encode(), "\U0001f600".encode(), "İ".encode()),
    *(b"2010-02-30", b"0000-00-00", b"99999999", b"18000101", b"9999-12-31", b"1/7/10", b"-1", b"99999999999999999999"),
]
HOSTILE = [
    "", " ", ";", ";;", "a;;b", "A\x1f;B", "\x1f", "[{'a': 1}]", '[{"code": null}]', "['a', ", "[[[[", "{}", "null",
    "None", "nan", "01/02/10", "5.5.2010", "2010", "2010-13-45", "20100107", "2010-01-07", "1/7/10", "July 2009",
    "US1 | EP2", "US20100000001A1", "US-7155747-B2", "ep 2000002 b1", "-", "F25B 41/20", "F25B 41/20;G06F 3/00",
    "H01L21/02", "Int. Cl.7: A61K 31/00", "A01B", "ZZ99Z 99/99", "F25B041/200000", "(A) B; C", "\u202eabc", "\ufeff",
    "Pump Corp, Inc.", "株式会社東芝", "삼성전자", "=1+1", "Ã¼", "a" * 5000, "\0", "12", "-3", "1e9", "US", "WO", "zz",
]  # fmt: skip


def damaged(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Bytes with one to five damages; ``others``: inputs that stretches are taken from."""
    for _ in range(rng.randint(1, 5)):
        start = rng.randint(0, len(data))
        end = min(len(data), start + rng.choice([1, 4, 40, 300]))
        how = rng.random()
        if how < 0.04:
            data = data[:start]
        elif how < 0.2:
            data = data[:start] + bytes([rng.randrange(256)]) + data[start + 1 :]
        elif how < 0.5:
            data = data[:start] + rng.choice(PIECES) + data[rng.choice([start, end]) :]
        elif how < 0.62:
            data = data[:start] + data[end:]
        elif how < 0.74:
            data = data[:start] + data[start:end] * rng.choice([2, 2, 3, 30]) + data[end:]
        elif how < 0.84:
            other = rng.choice(others)
            place = rng.randint(0, len(other))
            data = data[:start] + other[place : place + rng.choice([5, 50, 500])] + data[end:]
        elif how < 0.9:
            old, new = rng.sample([b",", b";", b"\t", b"|", b'"', b"'", b"\n", b" ", b"<", b"{"], 2)
            data = data.replace(old, new)
        elif how < 0.95:
            head, line, rest = data.partition(b"\n")
            data = rng.choice([head + line + data, data + head, rest, head + line + head, data + b"\n" + data])
        elif how < 0.97:
            data = _recoded(rng, data)
        elif how < 0.98:
            data = (
                data[:start]
                + rng.choice([b"a", b"9", b'"', b",", b"<", b"[", b"\n", b" ", b"-", b"."]) * 20_000
                + data[start:]
            )
        else:
            data = rng.randbytes(rng.choice([1, 30, 300]))
    return data


def _recoded(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(["utf-16", "utf-16-be", "utf-8-sig", "latin-1", "gb18030", "shift_jis"]), "replace")


def packed(rng: random.Random, content: bytes) -> bytes:
    """Bytes as they are, or in an archive, or in one within one, which may be damaged in its turn."""
    how = rng.random()
    if how < 0.7:
        return content
    if how < 0.78:
        return _hurt(rng, gzip.compress(content, 1, mtime=0))
    inner = _zip(rng, {"a.csv": content})
    if how < 0.88:
        return _hurt(rng, inner)
    if how < 0.94:
        return _zip(rng, {"a.zip": inner, "../b": content, "c": b""})
    return _zip(rng, {"a": content, "b": rng.choice([content, b"\0" * 1000, b"no table", gzip.compress(content)])})


def _zip(rng: random.Random, members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def _hurt(rng: random.Random, content: bytes) -> bytes:
    if rng.random() < 0.5:
        return content
    place = rng.randrange(len(content))
    return rng.choice([content[:place], content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :]])


def damaged_text(rng: random.Random, case: int, place: int) -> str:
    """A cell: now and then a number of its own, else one or several of the hostile texts, damaged or not."""
    rng = random.Random(f"{rng.random()}:{place}")
    how = rng.random()
    if how < 0.15:
        return f"US{10_000_000 + case}B2"
    text = rng.choice(HOSTILE)
    if how < 0.5:
        return text
    text = rng.choice([" | ", ";", ";;", "\n", ", ", "\x1f"]).join(rng.choices(HOSTILE, k=rng.randint(1, 4)))[:8000]
    if how < 0.8:
        return text
    return damaged(rng, text.encode("utf-8", "replace"), [b"US7155747B2"]).decode("utf-8", "replace")[:20_000]
