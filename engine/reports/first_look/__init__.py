"""The first look at a data set: what a planner checks before anything else, what looks wrong, and the light."""

from engine.reports.first_look.looking import MOST_REPLAYED as MOST_REPLAYED
from engine.reports.first_look.looking import first_look as first_look
from engine.reports.first_look.looking import last_days as last_days
from engine.reports.first_look.result import FirstLook as FirstLook
