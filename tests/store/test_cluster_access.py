"""A file of credentials is one of the forms that are known, read by its owner alone; and nothing of it is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.errors import AuctionctlError, ConfigurationError, KeyFileError, NotFoundError
from auctionctl.store.cluster_access import (
    KeyLogin,
    Login,
    PasswordLogin,
    TokenLogin,
    login_of,
    read_credentials,
)

SEED = "SUAGC5LDORUW63TDORWC25DFON2C25TFMN2G64RNONSWKZBNGAYDAMO3O4"
PUBLIC = "UA5EUPHJQL2V3LX7ZU6WC6BDGQH7GU5LXHD5DDEJZJCZJEWJWMBQGOL5"
JWT = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJVQSJ9.c2lnbmF0dXJl-_"
CREDENTIALS = f"""\
-----BEGIN NATS USER JWT-----
{JWT}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------

*************************************************************
"""


def file_of(tmp_path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [CREDENTIALS, CREDENTIALS.replace("\n", "\r\n"), "\n\n" + CREDENTIALS])
def test_a_file_as_nsc_writes_it_has_a_key_and_a_jwt(tmp_path: Path, text: str) -> None:
    login = read_credentials(file_of(tmp_path, text))
    assert isinstance(login, KeyLogin)
    assert (login.key.public, login.jwt) == (PUBLIC, JWT)


@pytest.mark.parametrize("text", [SEED, SEED + "\n", f"# of the house\n\n  {SEED}  \n"])
def test_a_seed_by_itself_is_a_key(tmp_path: Path, text: str) -> None:
    login = read_credentials(file_of(tmp_path, text, 0o400))
    assert isinstance(login, KeyLogin)
    assert (login.key.public, login.jwt) == (PUBLIC, "")


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ('user = "house"\npassword = "a:b@c=#"\n', PasswordLogin("house", "a:b@c=#")),
        ('# a comment\npassword = "x"\nuser = "house"', PasswordLogin("house", "x")),
        ('token = "s3cret"', TokenLogin("s3cret")),
    ],
)
def test_words_are_a_user_with_a_password_or_a_token(tmp_path: Path, text: str, login: Login) -> None:
    assert read_credentials(file_of(tmp_path, text)) == login


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "none of what is known|neither"),
        ("s3cret-word", "58 characters"),
        ("s3cret-word s3cret-word\nx\n", "none of what is known"),
        (b"\x00\xff s3cret-word", "not plain text"),
        ("x = " + "1" * 5_000, "none of what is known"),
        ("x = " + "[" * 5_000, "none of what is known"),
        ('user = "house"', "neither user and password"),
        ('user = "s3cret-word"\npassword = 7', "neither user and password"),
        ('user = "s3cret-word"\npassword = ""', "neither user and password"),
        ('token = "s3cret-word"\nuser = "x"', "neither user and password"),
        (CREDENTIALS.replace(JWT, ""), "JWT is missing"),
        (CREDENTIALS.replace(JWT, "s3cret-word"), "JWT is missing, or cut"),
        (CREDENTIALS.replace(SEED, ""), "seed of the user is missing"),
        (CREDENTIALS.replace(SEED, SEED[:-1] + "A"), "checksum is wrong"),
        (CREDENTIALS.replace(SEED, SEED[:20]), "58 characters, not 20"),
        (CREDENTIALS[: CREDENTIALS.index(JWT) + 5], "it is cut"),
    ],
)
def test_what_is_no_credentials_is_refused_with_the_forms_and_without_a_secret(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        read_credentials(file_of(tmp_path, text))
    assert "nsc" in caught.value.hint
    said = f"{caught.value} {caught.value.hint}"
    assert not any(secret in said for secret in ("s3cret", SEED[:12], JWT[:12]))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileError, match="others have access") as caught:
        read_credentials(file_of(tmp_path, SEED, mode))
    assert "chmod 600" in caught.value.hint


def test_what_is_no_file_or_too_large_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file of credentials") as caught:
        read_credentials(tmp_path / "none")
    assert "nsc" in caught.value.hint
    for path in (tmp_path, file_of(tmp_path, b"#" * 70_000)):
        with pytest.raises(AuctionctlError):
            read_credentials(path)


def test_a_login_in_an_address_is_a_user_with_a_password_or_a_token() -> None:
    assert login_of("") is None
    assert login_of("house:pa:ss") == PasswordLogin("house", "pa:ss")
    assert login_of("t0ken") == TokenLogin("t0ken")


def test_no_login_shows_itself() -> None:
    for login in (PasswordLogin("s3cret", "s3cret"), TokenLogin("s3cret"), KeyLogin(None, "s3cret")):  # type: ignore[arg-type]
        assert "s3cret" not in f"{login!r} {login}"
