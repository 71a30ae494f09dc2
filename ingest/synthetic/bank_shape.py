"""Figures that shape a made-up centre like a real bank's.

Source: "Anonymous Bank" data, Technion (I. Guedj and A. Mandelbaum, 2000), January to July 1999: 252,290
rows in the log, of which 236,365 reached the queue or an agent. Measured on those, rounded; sums and
shares only, no row of the log. Opening hours are those of the data's documentation.
"""

from __future__ import annotations

ROWS = 252_290
DAYS = 212

TYPES = ("PS", "PE", "NW", "NE", "IN", "TT")

# Interactions per day, Monday to Sunday.
PER_DAY = (1437, 1446, 1358, 1437, 468, 152, 1673)
# Per mille of the day in each half hour from 07:00 (nearly nobody calls at night): Sunday to Thursday,
# Friday until it closes at 14:00, Saturday from 20:00.
OPENS_SLOT = 14
WORKDAY = (
    11, 16, 25, 35, 35, 40, 44, 43, 39, 37, 35, 35, 35, 38, 40, 39, 38,
    39, 41, 40, 33, 31, 27, 25, 22, 20, 17, 21, 18, 19, 18, 17, 16, 11,
)  # fmt: skip
FRIDAY_SLOT, FRIDAY = 14, (23, 34, 61, 94, 88, 86, 89, 84, 87, 78, 85, 72, 58, 46)
SATURDAY_SLOT, SATURDAY = 40, (59, 58, 85, 161, 175, 135, 119, 107)

# Per mille of each type in each four hours from midnight.
MIX = (
    (733, 10, 200, 10, 0, 47),
    (844, 6, 83, 30, 6, 31),
    (712, 5, 147, 94, 17, 25),
    (700, 4, 132, 113, 14, 37),
    (592, 3, 268, 72, 11, 54),
    (778, 3, 98, 82, 9, 30),
)

# Share of each type's queued customers whom the centre credits with 90 s of waiting.
CREDITED = (0.63, 0.45, 0.0, 0.83, 0.0, 0.34)

# Percent of a weekday's interactions that had to queue, by hour, and of each type relative to all.
QUEUED_PERCENT = (
    86, 71, 80, 50, 40, 44, 31, 43, 53, 74, 84, 76, 68, 68, 74, 85, 78, 72, 61, 50, 46, 53, 58, 54,
)  # fmt: skip
QUEUED_RELATIVE = (0.99, 1.12, 1.12, 1.06, 1.21, 0.41)

# Quantiles of recorded service by type. [s]
HANDLE_P = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1)
HANDLE_S = (
    (0, 9, 34, 57, 76, 97, 122, 155, 201, 274, 426, 603, 1084, 2080, 3600),
    (0, 3, 8, 73, 103, 148, 190, 241, 298, 400, 577, 808, 1413, 2180, 3600),
    (0, 8, 15, 29, 39, 50, 64, 83, 110, 156, 256, 386, 779, 1725, 3600),
    (0, 4, 29, 62, 95, 133, 175, 229, 303, 424, 665, 944, 1747, 3320, 5400),
    (0, 12, 38, 61, 87, 120, 156, 205, 287, 408, 689, 969, 2195, 6035, 7200),
    (0, 2, 4, 6, 8, 14, 25, 51, 93, 152, 274, 425, 933, 3612, 5400),
)

# Kaplan-Meier quantiles of patience (service censors it) and of the wait that was offered (giving up
# censors it), queued interactions by type. [s]
WAIT_P = (0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
PATIENCE_S = (
    (0, 13, 32, 74, 156, 308, 610, 1034, 1422, 1440, 1595, 2550),
    (0, 26, 37, 77, 145, 216, 288, 374, 480, 556, 665, 960),
    (0, 8, 17, 41, 67, 108, 171, 227, 344, 602, 1137, 1520),
    (0, 31, 81, 196, 323, 469, 589, 693, 910, 1148, 1318, 2000),
    (0, 15, 36, 66, 118, 185, 255, 340, 449, 623, 902, 2730),
    (1, 12, 30, 79, 104, 148, 209, 355, 492, 700, 1000, 2000),
)
OFFERED_WAIT_S = (
    (0, 9, 14, 26, 39, 56, 77, 103, 136, 179, 252, 600),
    (0, 12, 21, 42, 67, 97, 130, 165, 221, 295, 434, 900),
    (0, 14, 24, 48, 80, 120, 163, 211, 259, 321, 414, 800),
    (0, 10, 17, 32, 48, 67, 92, 121, 158, 210, 292, 700),
    (0, 20, 37, 78, 123, 177, 233, 293, 360, 447, 642, 1600),
    (1, 7, 11, 19, 28, 38, 52, 69, 95, 141, 213, 450),
)

# Calls answered by each agent and type in the seven months, rounded to tens.
ANSWERED = (
    (11280, 0, 2570, 1770, 60, 500),
    (8610, 0, 1510, 1680, 0, 340),
    (7920, 100, 2090, 1680, 0, 20),
    (8070, 50, 840, 1540, 220, 270),
    (7760, 0, 1670, 780, 10, 470),
    (7940, 60, 1900, 300, 0, 330),
    (7960, 90, 860, 120, 390, 500),
    (7780, 110, 900, 20, 500, 300),
    (5370, 0, 200, 2800, 0, 130),
    (6180, 0, 1260, 550, 20, 240),
    (5460, 0, 1340, 680, 20, 290),
    (5870, 0, 1310, 80, 10, 150),
    (5550, 0, 1370, 140, 180, 50),
    (4870, 40, 1570, 70, 0, 270),
    (4980, 50, 940, 390, 0, 340),
    (4670, 50, 50, 720, 10, 280),
    (3870, 0, 550, 610, 0, 230),
    (4260, 0, 30, 500, 210, 250),
    (4120, 50, 300, 30, 50, 170),
    (3620, 40, 380, 550, 100, 30),
    (3380, 0, 180, 540, 10, 190),
    (460, 0, 20, 2990, 0, 50),
    (2490, 0, 50, 530, 10, 220),
    (2500, 0, 430, 120, 40, 140),
    (2210, 0, 250, 20, 0, 470),
    (1890, 40, 830, 0, 60, 10),
    (630, 0, 400, 30, 0, 420),
    (500, 10, 260, 0, 0, 10),
    (160, 0, 40, 0, 10, 0),
    (80, 0, 20, 20, 10, 0),
    (10, 0, 0, 0, 0, 10),
    (0, 0, 0, 0, 0, 0),
)

# Days on which each of them was seen at work.
WORKED_DAYS = (
    150, 121, 138, 122, 112, 136, 154, 132, 163, 75, 91, 90, 95, 88, 63, 108,
    79, 62, 70, 69, 57, 143, 125, 57, 119, 31, 100, 14, 4, 4, 6, 1,
)  # fmt: skip

# Shifts as (first half hour, last, agents): 8 to 9 agents were seen at work on weekday middays, 6 in the
# evening, 7 on Friday mornings, 4 on Saturday nights.
WORKDAY_SHIFTS = ((14, 30, 4), (16, 32, 4), (30, 46, 3), (32, 48, 3))
FRIDAY_SHIFTS = ((14, 28, 7),)
SATURDAY_SHIFTS = ((40, 48, 4),)
