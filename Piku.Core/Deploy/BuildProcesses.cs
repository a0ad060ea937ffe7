using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// All processes of the tools of one build, or of one command of the Procfile, also those that made themselves a session of their own and so have
/// left the group of the program that started them, and those with an environment of their own.
/// </summary>
internal sealed class BuildProcesses(PikuPaths paths, AppName app)
{
    /// <summary>For the programs of the build.</summary>
    public ProcessMark Mark { get; } = MarkedProcesses.New(paths, app, ProcessPurpose.Build);

    /// <summary>Kills those that are left. After a good build nobody does that to tools: compilers leave servers for the next.</summary>
    public void End() => MarkedProcesses.Kill(mark => mark == Mark);
}
