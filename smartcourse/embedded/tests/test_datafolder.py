"""What the data folder keeps, and from whom."""

import stat

import pytest

from smartcourse.embedded.datafolder import (
    DataFolder,
    FolderInUseError,
    ForeignFolderError,
    local_secret,
    write_atomically,
)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestClaim:
    def test_keeps_what_is_inside_from_other_users(self, tmp_path):
        folder = DataFolder(tmp_path / "new").claim()
        assert not mode(folder.path) & 0o066
        assert mode(folder.path / "mail") == mode(folder.path / "logs") == 0o700

    def test_knows_its_own_folder_again(self, tmp_path):
        folder = DataFolder(tmp_path / "new").claim()
        (folder.path / "anything").touch()
        assert folder.claim() == folder

    def test_refuses_a_folder_that_holds_other_things(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ForeignFolderError, match=r"thesis\.tex"):
            DataFolder(tmp_path).claim()
        assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]

    def test_says_when_a_file_is_in_the_way(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(ForeignFolderError, match="cannot be used"):
            DataFolder(tmp_path / "file" / "data").claim()


class TestEmpty:
    def test_leaves_nothing_that_a_run_has_made(self, tmp_path):
        folder = DataFolder(tmp_path / "new").claim()
        secret = local_secret(folder.path, "secret_key")
        (folder.path / "media" / "cover.png").touch()
        folder.empty()
        assert not (folder.path / "media" / "cover.png").exists()
        assert local_secret(folder.path, "secret_key") != secret

    def test_refuses_a_folder_that_is_not_marked(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ForeignFolderError):
            DataFolder(tmp_path).empty()
        assert (tmp_path / "thesis.tex").exists()


class TestAlone:
    def test_refuses_a_second_one_until_the_first_has_left(self, tmp_path):
        folder = DataFolder(tmp_path / "new").claim()
        with folder.alone("quickstart"), pytest.raises(FolderInUseError), folder.alone("quickstart"):
            pass
        with folder.alone("quickstart"):
            pass


class TestLocalSecret:
    def test_is_random_private_and_made_once(self, tmp_path):
        secret = local_secret(tmp_path / "data", "secret_key")
        assert len(secret) == 64
        assert len(set(secret)) > 20
        assert local_secret(tmp_path / "data", "secret_key") == secret
        assert local_secret(tmp_path / "data", "jwt_signing_key") != secret
        assert mode(tmp_path / "data" / "secret_key") == 0o600


class TestWriteAtomically:
    def test_replaces_the_file_and_leaves_nothing_beside_it(self, tmp_path):
        path = tmp_path / "quickstart.json"
        path.write_text("an old text that is longer")
        write_atomically(path, "new")
        assert path.read_text() == "new"
        assert mode(path) == 0o600
        assert list(tmp_path.iterdir()) == [path]
