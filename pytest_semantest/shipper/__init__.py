"""The child process that follows the journals of one pytest session and ships them to the recorder."""
