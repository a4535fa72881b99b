"""The settings as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from worker.config.access import OpsSettings
from worker.config.base import Folder, Section
from worker.config.sections import (
    BreakerSettings,
    DatabaseSettings,
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
from worker.config.systems import SYSTEM_NAMES, SystemName, SystemSettings
from worker.config.vendors import (
    RecrasSettings,
    RobawsSettings,
    RompslompSettings,
    RoutixSettings,
    WorkspaceSettings,
)


class SystemsSettings(Section):
    """The five systems."""

    robaws: RobawsSettings = RobawsSettings()
    rompslomp: RompslompSettings = RompslompSettings()
    recras: RecrasSettings = RecrasSettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    routix: RoutixSettings = RoutixSettings()


class Settings(BaseSettings):
    """
    Everything that a process is told, read once at its entry (`load_settings`) and passed down.

    Made directly, it takes what it is given and reads neither file nor environment: so a test says all it depends on.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Folder = Field(
        default=Path(".contactsync"),
        description="where the embedded PostgreSQL and Redis keep their data, logs and sockets",
    )
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    receiver: ReceiverSettings = ReceiverSettings()
    ops: OpsSettings = OpsSettings()
    worker: WorkerSettings = WorkerSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    retry: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    fuse: FuseSettings = FuseSettings()
    retention: RetentionSettings = RetentionSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    systems: SystemsSettings = SystemsSettings()
    sync: SyncSettings = SyncSettings()
    log: LogSettings = LogSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `worker.config.sources` reads file and environment, and knows every key of both."""
        return (init_settings,)

    def system(self, name: str) -> SystemSettings:
        """The settings of one system by its name; KeyError for a name that is no system's."""
        if name not in SYSTEM_NAMES:
            raise KeyError(name)
        system: SystemSettings = getattr(self.systems, name)
        return system

    def enabled_systems(self) -> tuple[SystemName, ...]:
        """The names of the systems that take part, Robaws first."""
        return tuple(name for name in SYSTEM_NAMES if self.system(name).enabled)

    def with_urls(self, database_url: str, redis_url: str, owner_url: str | None = None) -> Self:
        """A copy that points at these servers, such as the embedded ones after their start."""
        owner = {} if owner_url is None else {"owner_url": owner_url}
        return self.model_copy(
            update={
                "database": self.database.model_copy(update={"url": database_url, **owner}),
                "redis": self.redis.model_copy(update={"url": redis_url}),
            }
        )
