"""Files of a course: looked at before they are kept, handed out by short-lived links."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.urls import reverse
from PIL import Image, ImageOps, UnidentifiedImageError

from courses.models import Lesson, Material
from courses.services.authoring import lock_course
from smartcourse.errors import FieldError, NotFound, Unacceptable

LINK_SALT = "courses.material-link"
MAXIMUM_SIZE = 200 * 1024 * 1024
MAXIMUM_PIXELS = 50_000_000
# How much of a file is looked at to tell text from what is none.
TEXT_SAMPLE = 64 * 1024
# What an upload may be: its extension, the type it must say it is, and how its bytes must begin. Markup that a browser
# would run (HTML, SVG) is not among them.
UPLOADS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    ".webp": ("image/webp", (b"RIFF",)),
    ".zip": ("application/zip", (b"PK\x03\x04",)),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (b"PK\x03\x04",)),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (b"PK\x03\x04",)),
    ".pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", (b"PK\x03\x04",)),
    # Four bytes of length come before the name of an MP4 file's first box (ISO/IEC 14496-12, 4.3).
    ".mp4": ("video/mp4", (b"ftyp",)),
    ".mp3": ("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")),
    ".txt": ("text/plain", (b"",)),
    ".csv": ("text/csv", (b"",)),
}
# Other names that systems have for these types; and one for "unknown", which says nothing against the extension.
ALIASES = {
    "application/zip": ("application/x-zip-compressed",),
    "text/csv": ("application/vnd.ms-excel", "text/plain"),
}
UNSTATED = "application/octet-stream"
IMAGE_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
# What Pillow raises for files that are damaged, or made to look like images.
BROKEN_IMAGE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError)


class FileRefused(Unacceptable):
    """The file is not what it says it is, too large, or of a kind that is not taken."""

    code = "file_refused"
    message = "This file cannot be taken."


class LinkInvalid(NotFound):
    """The link to a file was tampered with, or its time is over."""

    code = "link_expired"
    message = "This link does not work any more. Ask for a new one."


class LessonsForeign(Unacceptable):
    """A lesson to attach a file to is none of the course."""

    message = "The lessons must belong to the course of the file."


def store_upload(*, course_id: UUID, upload: Any, lesson_ids: Iterable[UUID] = ()) -> Material:
    """Keep an uploaded file whose extension, stated type and bytes agree; images are written anew.

    Raises:
        FileRefused: they do not agree, or the kind or the size is not taken.
        LessonsForeign: a lesson to attach it to is none of the course.
        CourseArchivedAlready: the course is archived.
    """
    name = PurePosixPath(str(upload.name).replace("\\", "/")).name
    known = UPLOADS.get(PurePosixPath(name).suffix.lower())
    if known is None:
        raise FileRefused("Files of this kind are not taken.")
    content_type, beginnings = known
    if not upload.size:
        raise FileRefused("The file is empty.")
    if upload.size > MAXIMUM_SIZE:
        raise FileRefused(f"The file is larger than {MAXIMUM_SIZE // 1024 // 1024} MB.")
    if upload.content_type not in (content_type, *ALIASES.get(content_type, ()), UNSTATED):
        raise FileRefused("The stated type does not belong to the extension.")
    if not _begins_like(upload, content_type, beginnings):
        raise FileRefused("The content does not belong to the extension.")
    stream: IO[bytes] = _written_anew(upload, content_type) if content_type in IMAGE_FORMATS else upload
    with transaction.atomic():
        lock_course(course_id)
        return add_material(
            course_id=course_id, name=name, content_type=content_type, stream=stream, lesson_ids=lesson_ids
        )


def _begins_like(upload: Any, content_type: str, beginnings: tuple[bytes, ...]) -> bool:
    """Return whether the file begins as files of that type do; text is what holds no NUL."""
    head: bytes = upload.read(TEXT_SAMPLE)
    upload.seek(0)
    if content_type.startswith("text/"):
        return b"\x00" not in head
    return head.startswith(beginnings, 4 if content_type == "video/mp4" else 0)


def _written_anew(stream: IO[bytes], content_type: str) -> IO[bytes]:
    """Return the image decoded and encoded again, which leaves behind whatever was hidden in its file.

    It stands as its camera held it (EXIF goes, and with it where the picture was taken); what moves goes on moving.
    """
    encoding = IMAGE_FORMATS[content_type]
    try:
        with Image.open(stream, formats=[encoding]) as image:
            frames = 1 if encoding == "JPEG" else getattr(image, "n_frames", 1)
            if image.width * image.height * frames > MAXIMUM_PIXELS:
                raise FileRefused("The image has too many pixels.")
            image.load()
            # Pillow would write it into the new file.
            image.info.pop("comment", None)
            out = io.BytesIO()
            if frames > 1:
                image.save(out, format=encoding, save_all=True)
            else:
                ImageOps.exif_transpose(image).save(out, format=encoding)
    except (*BROKEN_IMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileRefused("The image cannot be read.") from error
    out.seek(0)
    return out


def add_material(
    *, course_id: UUID, name: str, content_type: str, stream: IO[bytes], lesson_ids: Iterable[UUID] = ()
) -> Material:
    """Keep a file as it is, attached to the course and to these lessons of it.

    Raises:
        LessonsForeign: a lesson belongs to another course.
    """
    digest, size = _digest_of(stream)
    material = Material(
        course_id=course_id, name=name[:255], content_type=content_type, size=size, sha256=digest
    )
    # Stored under our own name: what a stranger calls a file is shown to people, never to a file system.
    material.file.save(f"{material.pk}{PurePosixPath(name).suffix.lower()[:10]}", File(stream), save=False)
    try:
        with transaction.atomic():
            material.save(force_insert=True)
            wanted = set(lesson_ids)
            lessons = Lesson.objects.filter(module__course=course_id, pk__in=wanted)
            if len(lessons) != len(wanted):
                row = FieldError("lesson_ids", "does_not_exist", LessonsForeign.message)
                raise LessonsForeign(errors=[row])  # noqa: TRY301 - the file must go whoever raises
            material.lessons.set(lessons)
    except BaseException:
        material.file.delete(save=False)
        raise
    return material


def _digest_of(stream: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(1024 * 1024):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return digest.hexdigest(), size


def material_link(*, material_id: UUID) -> str:
    """Return a link to the file that works for a few minutes, without any log-in; who may have it was asked before."""
    if not isinstance(default_storage, FileSystemStorage):
        # The object store signs links of its own, as attachments.
        material = Material.objects.get(pk=material_id)
        headers = {"ResponseContentDisposition": f'attachment; filename="{material_id}"'}
        return str(default_storage.url(material.file.name, parameters=headers))  # type: ignore[call-arg]  # S3Storage's
    signature = signing.TimestampSigner(salt=LINK_SALT).sign(str(material_id)).split(":", 1)[1]
    return f"{reverse('material-content', kwargs={'pk': material_id})}?{urlencode({'signature': signature})}"


def open_material(*, material_id: UUID, signature: str) -> Material:
    """Return the material that a link from `material_link` leads to.

    Raises:
        LinkInvalid: the link was tampered with, or is too old.
    """
    signed = f"{material_id}:{signature}"
    try:
        signing.TimestampSigner(salt=LINK_SALT).unsign(signed, max_age=settings.MATERIAL_LINK_LIFETIME)
    except signing.BadSignature as error:
        raise LinkInvalid from error
    material = Material.objects.filter(pk=material_id).first()
    if material is None:
        raise LinkInvalid
    return material


def store_cover(*, course: Any, name: str, stream: IO[bytes]) -> None:
    """Keep an image as the course's cover, written anew; what is no image is left out."""
    content_type, _ = UPLOADS.get(PurePosixPath(name).suffix.lower(), ("", ()))
    if content_type not in IMAGE_FORMATS:
        return
    image = _written_anew(stream, content_type)
    course.cover.save(
        f"{course.pk}{PurePosixPath(name).suffix.lower()}", ContentFile(image.read()), save=True
    )
