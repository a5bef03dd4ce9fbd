"""What holds where the command line leaves something open: settings, contexts and files of lots, read and checked."""
