"""When to retrain, and where it can be watched: `params.yaml: schedule`. Imports no Prefect."""

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from thorax.config import Config


class ScheduleConfig(Config):
    """When to retrain, and where it can be watched."""

    cron: str
    """Five cron fields: minute, hour, day of month, month, day of week."""
    timezone: str = "UTC"
    """IANA name of the time zone in which the cron is read."""
    port: int = Field(default=4200, ge=1, le=65535)
    """Port of the Prefect server on loopback; not used when PREFECT_API_URL is set."""
    pages_port: int = Field(default=4201, ge=1, le=65535)
    """Port on loopback of the pages that Prefect's artifacts link to: reports, figures, card."""
    planned_within_s: float = Field(default=90, gt=0)
    """Seconds without a planned next run after which `schedule up` ends with an error."""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{timezone!r} is no IANA time zone, such as Europe/Oslo") from None
        return timezone

    @model_validator(mode="after")
    def _ports_differ(self) -> "ScheduleConfig":
        if self.port == self.pages_port:
            raise ValueError("port and pages_port must be two different ports")
        return self
