"""Nothing is fetched or sent while modgrok runs."""

import socket

import pytest

from modgrok.cli import main


@pytest.fixture
def asked(monkeypatch):
    """Forbid every connection and every look-up of a name; return what was asked for."""
    asked = []

    def forbidden(*arguments, **options):
        asked.append(arguments[1:] or arguments)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket.socket, "connect_ex", forbidden)
    monkeypatch.setattr(socket.socket, "sendto", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    return asked


def test_a_run_and_its_report_need_no_network(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(
        [
            *("fit", "--data.task", "x + y", "--data.modulus", "11", "--data.train_fraction", "0.5"),
            *("--model.network.d_model", "16", "--model.network.d_mlp", "16", "--trainer.max_steps", "20"),
            *("--model.engine", "eager"),
        ]
    )
    main(["test", "--ckpt_path", "lightning_logs/version_0"])
    main(["analyze", "lightning_logs/version_0"])
    main(["export", "lightning_logs/version_0", "weights.safetensors"])
    assert asked == []


def test_the_guard_notices(asked):
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    assert asked
