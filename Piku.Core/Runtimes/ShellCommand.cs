using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>A line of the Procfile that the app's author wrote for a shell.</summary>
/// <param name="Line">For <c>sh -c</c>.</param>
/// <param name="Folder">Where it runs.</param>
/// <param name="Environment">All that it sees.</param>
public sealed record ShellCommand(string Line, string Folder, EnvMap Environment);
