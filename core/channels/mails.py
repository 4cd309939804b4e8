"""The words of the mails that carry notices."""

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from core.models import Notice


def compose(batch: Sequence[Notice], connection: BaseEmailBackend) -> EmailMessage:
    """One mail of one or more notices to the one recipient of them all."""
    recipient = batch[0].recipient
    subject = f"您有 {len(batch)} 条新通知" if len(batch) > 1 else " ".join(batch[0].text.split())[:60]
    lines = [f"{notice.text}\n{settings.SITE_URL}{notice.link or '/'}" for notice in batch]
    ending = (
        f"登录平台查看：{settings.SITE_URL}/\n不想再收到邮件，可在“我的账号 → 修改资料”关闭“接收邮件通知”。"
    )
    return EmailMessage(
        subject=f"[{settings.PORTAL_NAME}] {subject}",
        body="\n\n".join([f"{recipient.name}，您好：", *lines, ending]),
        to=[recipient.email],
        connection=connection,
    )


def trial(address: str, name: str) -> EmailMessage:
    return EmailMessage(
        subject=f"[{settings.PORTAL_NAME}] 测试邮件",
        body=f"{name}，您好：\n\n这是一封测试邮件。收到它，说明平台的邮件通知可以送达。\n\n{settings.SITE_URL}/",
        to=[address],
    )


def words(error: Exception) -> str:
    """Why the server did not take a mail, in its own words where it gave any."""
    code: int | None = None
    said: bytes | str = b""
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    if code is None:
        return f"邮件服务器连不上或没有接受：{type(error).__name__}"
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"邮件服务器没有接受：{code} {text}"
