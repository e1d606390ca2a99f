"""The errors a user can meet. Each message is one line: what was wrong, where, what to do."""


class TechconvergeError(Exception):
    """Base of every error that is the user's to mend; the command line prints it and exits with code 2."""


class ConfigError(TechconvergeError):
    """An option or a configuration file is wrong."""


class CorpusError(TechconvergeError):
    """A source file or a stored corpus cannot be read or does not hold what its schema says."""


class CutoffError(TechconvergeError):
    """A cutoff, window or horizon lies outside the data."""


class NotEnoughDataError(TechconvergeError):
    """Too few patents, codes, pairs or positives to learn from."""


# how to get more positives; at coarse levels almost every pair has met before, at fine ones few ever do
MORE_POSITIVES = "take another --level, a longer --horizon, a later --cutoff or a larger corpus"


class FirmError(TechconvergeError):
    """A firm name matches no party, or several."""


class KnowledgeError(TechconvergeError):
    """A knowledge base cannot be read, changed or asked."""


class JudgeError(TechconvergeError):
    """A model that was to judge cannot be reached or used."""


class FetchError(TechconvergeError):
    """Public data cannot be had from where they are said to be."""


class ArtifactError(TechconvergeError):
    """A stored table or model is missing, damaged or of another version."""
