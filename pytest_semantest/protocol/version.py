"""Versions of the public formats, and who can read what.

===================  ======================  ===================================================
format               number                  a reader that meets another number
===================  ======================  ===================================================
wire                 ``PROTOCOL_VERSION``    recorder: older clients are served; a newer client is
                                             served too, fields it does not know are kept raw.
                                             shipper: a recorder older than ``OLDEST_PROTOCOL`` is
                                             refused with one clear line, the journal stays
journal record       ``JOURNAL_VERSION``     each record carries its number: an older one is read,
                                             a newer one is reported as unreadable and kept
database             ``SCHEMA_VERSION`` in   older: migrated forward at start; newer: refused with
                     the recorder's store    one clear line, the file is not touched
``report --json``    ``REPORT_SCHEMA`` in    fields are only added within a number
                     the recorder's reports
===================  ======================  ===================================================
"""

PROTOCOL_VERSION = 1
OLDEST_PROTOCOL = 1
JOURNAL_VERSION = 1
