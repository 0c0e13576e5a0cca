"""What can go wrong with the local stack, told so that the reader knows what to do.

StackError
├── TemplateError        template.yaml asks for something the local stack cannot read
├── StartError           a server or a function did not come up
├── AlreadyRunningError  another stack uses the same state directory
├── NotRunningError      no stack runs from this state directory
├── NotSettledError      messages were still on their way when the wait ended
└── InvocationError      a function failed: raised, timed out or died
"""


class StackError(Exception):
    """Root of everything this package raises on purpose."""


class TemplateError(StackError):
    """template.yaml uses what the local stack cannot resolve; the message names the place."""


class StartError(StackError):
    """A server or a function process ended or stayed silent instead of becoming ready."""


class AlreadyRunningError(StackError):
    """Another process holds the state directory."""


class NotRunningError(StackError):
    """There is no running stack to talk to."""


class NotSettledError(StackError):
    """Queues or functions were still busy when the time given was over."""


class InvocationError(StackError):
    """A failed invocation, with Lambda's own fields (`errorType`, `errorMessage`, `stackTrace`)."""

    def __init__(self, error_type: str, message: str, stack_trace: tuple[str, ...] = ()) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack_trace = stack_trace
