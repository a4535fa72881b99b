"""
The settings: frozen models, one for each section and vendor, read once at a process's entry and passed down.

`load_settings` is the only way in; nothing is read when this package is imported. What each key means stands beside it
in the models, and docs/settings.md is made from there (`describe`).
"""

from worker.config.access import OpsSettings, TokenSettings, UserSettings
from worker.config.base import Owner, Role, Section
from worker.config.load import load_settings, load_with_advice
from worker.config.rows import SettingRow, describe
from worker.config.sections import (
    BreakerSettings,
    DatabaseSettings,
    FilterSettings,
    FuseSettings,
    LogSettings,
    ReceiverSettings,
    ReconcileSettings,
    RedisSettings,
    RetentionSettings,
    RetrySettings,
    SchedulerSettings,
    SyncSettings,
    TelemetrySettings,
    WorkerSettings,
)
from worker.config.settings import Settings, SystemsSettings
from worker.config.systems import SYSTEM_NAMES, TARGETS, SystemName, SystemSettings
from worker.config.vendors import (
    RecrasSettings,
    RobawsSettings,
    RompslompSettings,
    RoutixSettings,
    WorkspaceSettings,
)

__all__ = [
    "SYSTEM_NAMES",
    "TARGETS",
    "BreakerSettings",
    "DatabaseSettings",
    "FilterSettings",
    "FuseSettings",
    "LogSettings",
    "OpsSettings",
    "Owner",
    "ReceiverSettings",
    "ReconcileSettings",
    "RecrasSettings",
    "RedisSettings",
    "RetentionSettings",
    "RetrySettings",
    "RobawsSettings",
    "Role",
    "RompslompSettings",
    "RoutixSettings",
    "SchedulerSettings",
    "Section",
    "SettingRow",
    "Settings",
    "SyncSettings",
    "SystemName",
    "SystemSettings",
    "SystemsSettings",
    "TelemetrySettings",
    "TokenSettings",
    "UserSettings",
    "WorkerSettings",
    "WorkspaceSettings",
    "describe",
    "load_settings",
    "load_with_advice",
]
