"""The invented people of the demo clinic. Nobody here exists; a likeness would be chance."""

import itertools
import random
from collections.abc import Iterator
from datetime import date, timedelta

Name = tuple[str, str]
"""Family name, given name."""

_POOLS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            "Abernathy",
            "Blackwood",
            "Cartwright",
            "Dunmore",
            "Ellery",
            "Fairweather",
            "Greenhalgh",
            "Hargreave",
        ),
        ("Alice", "Benjamin", "Clara", "Dominic", "Edith", "Frederick", "Georgina", "Harriet"),
    ),
    (
        ("Ó Súilleabháin", "Ní Dhomhnaill", "McAllister", "O'Rourke", "Mac Giolla", "Fitzgibbon"),
        ("Aoife", "Caoimhe", "Diarmuid", "Gráinne", "Niamh", "Pádraig"),
    ),
    (
        ("Wójcik", "Kamińska", "Szczęsny", "Łukasik", "Dvořák", "Němcová", "Šimić", "Čović"),
        ("Agnieszka", "Zbigniew", "Kateřina", "Ondřej", "Đorđe", "Žaklina", "Łucja", "Tomáš"),
    ),
    (
        ("Björnsdóttir", "Østergård", "Åkesson", "Hämäläinen", "Þórsson", "Lindqvist"),
        ("Sigríður", "Søren", "Åsa", "Väinö", "Guðrún", "Jörgen"),
    ),
    (
        ("Nguyễn", "Trần", "Phạm", "Đặng", "Lê", "Võ"),
        ("Thị Hương", "Văn Đức", "Minh Anh", "Quốc Bảo", "Ngọc Lan", "Thành Đạt"),
    ),
    (
        ("García Núñez", "Peña", "Conceição", "d'Araújo", "Yılmaz", "Gökçe", "Şahin"),
        ("José", "Begoña", "João", "Inês", "İbrahim", "Ayşe", "Çağla"),
    ),
    (
        ("Παπαδοπούλου", "Γεωργίου", "Κωνσταντινίδης", "Αθανασίου"),
        ("Ελένη", "Νικόλαος", "Χρυσούλα", "Δημήτρης"),
    ),
    (
        ("Иванова", "Ковальчук", "Щербакова", "Ђорђевић", "Петренко"),
        ("Анна", "Олександр", "Юлія", "Слободан", "Марија"),
    ),
    (("الخطيب", "حدّاد", "منصور"), ("ليلى", "يوسف", "سلمى")),
    (("כהן", "אלמוג", "פרידמן"), ("נועה", "איתן", "תמר")),
    (
        ("Okonkwo", "Adébáyọ̀", "Nwachukwu", "Mensah", "Tshabalala"),
        ("Chinwe", "Ọlá", "Ifeanyi", "Kwame", "Nomvula"),
    ),
    (("Krishnamurthy", "Bhattacharya", "Rahman", "Perera"), ("Lakshmi", "Arjun", "Farhana", "Dilshan")),
)
_LONG: tuple[Name, ...] = (
    ("Montgomery-Featherstonehaugh-Cholmondeley", "Maximiliana Anastasia Theodora Wilhelmina"),
    ("Wolfeschlegelsteinhausenbergerdorff", "Hubert"),
    ("X", "Io"),
)
_NAMESAKES: tuple[Name, ...] = (("Silva", "Ana"), ("Silva", "Ana"))
_FIRST_BIRTH = date(1932, 1, 1)
_BIRTH_DAYS = 27_000


def invented_names(count: int, rng: random.Random) -> Iterator[Name]:
    """Give `count` names: long ones and namesakes at their places, the rest from every alphabet in turn, seldom the same twice."""
    pools = [_shuffled(pool, rng) for pool in _POOLS]
    for number in range(count):
        if number in _PLACED:
            yield _PLACED[number]
        else:
            names = pools[number % len(pools)]
            yield names[number // len(pools) % len(names)]


def _shuffled(pool: tuple[tuple[str, ...], tuple[str, ...]], rng: random.Random) -> list[Name]:
    names = list(itertools.product(*pool))
    rng.shuffle(names)
    return names


_PLACED = dict(zip((7, 19, 31, 11, 42), (*_LONG, *_NAMESAKES), strict=True))


def invented_birth_date(rng: random.Random) -> date:
    """Give a date of birth of somebody grown up."""
    return _FIRST_BIRTH + timedelta(days=rng.randrange(_BIRTH_DAYS))
