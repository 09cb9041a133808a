-- What tells whether a test's own code changed, and that it is the same under another name.
ALTER TABLE results ADD COLUMN fingerprint TEXT;
