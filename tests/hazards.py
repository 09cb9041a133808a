"""What is done to a recorder inside other people's tests, and to a daemon on their machines.

The marker ``hazard(number)`` says of a test which of these it carries out. Of all of them holds: what was acknowledged
is stored once, a complete record of a journal is stored once after shipping, every gap is told, and the user's results
and exit code are those of a run without the plugin.
"""

from __future__ import annotations

HAZARDS = {
    1: "The test process dies by a signal, os._exit, a timeout or faulthandler.",
    2: "Ctrl-C or pytest.exit in the middle of a test.",
    3: "-x ends an xdist run early.",
    4: "An xdist worker is killed.",
    5: "Every report is seen by an xdist worker and by its controller.",
    6: "The controller is killed, and its workers live on.",
    7: "pytest-rerunfailures runs failed tests again.",
    8: "Tests fork, and children run on into the rest of the session.",
    9: "Tests close descriptors that are not theirs.",
    10: "Tests fake the file system or the clock.",
    11: "Tests patch sockets and threads, or wait for the end of every process that holds their pipes.",
    12: "Tests count warnings, log lines, threads and objects.",
    13: "pytest runs inside pytest.",
    14: "A proxy stands in the environment.",
    15: "Journals are cut, damaged, unwritable or deleted.",
    16: "Every kind of test, outcome and selection that pytest knows.",
    17: "A hundred megabytes of output, a hundred thousand tests, a megabyte of repr.",
    18: "The recorder is killed again and again while it takes in events.",
    19: "Batches come twice, out of order, with gaps or with another body; the ack is lost.",
    20: "Two processes send one source; an ack is forged or goes backward.",
    21: "The recorder stands still, the connection is half open, or the recorder comes back elsewhere.",
    22: "The disk or the database is full.",
    23: "A reader is stuck: of live events, or in the database.",
    24: "Somebody else writes the database between a transaction's first read and its first write.",
    25: "A plugin changes, drops or fails at events; an event breaks its handler.",
    26: "The database is backed up while events stream in.",
    27: "Frames too large, too deep, not UTF-8, no numbers, or with a million keys.",
    28: "One client is far over its rate; a hundred sources and a thousand readers come at once.",
    29: "The database file is corrupt.",
    30: "A page in a browser talks to the recorder: foreign Origin, foreign Host.",
    31: "Every route and message, by every role and by none; a token is revoked in use.",
    32: "Tokens are guessed, read by others or sent in the open.",
    33: "Names and output of tests carry markup, links, escape sequences and formulas.",
    34: "Imports and attachments carry bombs, links and paths that lead elsewhere.",
    35: "Secrets stand in parameters, output and the environment, in one piece or in several.",
    36: "Configuration files and data of others carry code.",
}
