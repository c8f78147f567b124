"""Reports: what a study report says, and its page."""

from expertise.reporting.block import Block
from expertise.reporting.content import StudyReport, study_report
from expertise.reporting.page import Page, build_report

__all__ = ["Block", "Page", "StudyReport", "build_report", "study_report"]
