namespace Piku.Core.Model;

/// <summary>
/// A failure that the person at the other end can understand and mend: one sentence that says what is wrong
/// and, where there is something to do, what. It ends a command with exit status 1 and no stack trace.
/// </summary>
public sealed class UserError(string message, Exception? cause = null) : Exception(message, cause);
