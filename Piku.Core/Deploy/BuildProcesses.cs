using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// All processes of one build, also those that made themselves a session of their own and so have left the group of
/// the program that started them: they inherit a variable with a value that no other build has.
/// </summary>
internal sealed class BuildProcesses
{
    private const string Variable = "PIKU_BUILD";

    /// <summary>A process may start another while we look; who starts them without end is left after so many looks.</summary>
    private const int MostLooks = 20;

    private readonly string _id = $"{Guid.NewGuid():N}";

    public EnvMap AddTo(EnvMap environment) => environment.With(Variable, _id);

    /// <summary>Kills those that are left. After a good build nobody does: compilers leave servers for the next.</summary>
    public void End()
    {
        for (var look = 0; look < MostLooks; look++)
        {
            var left = ProcessTable.Read().Where(process => !process.IsZombie && ProcessTable.WasStartedWith(process.Id, Variable, _id)).ToList();
            if (left.Count == 0)
                return;
            foreach (var process in left)
                Signals.Send(process.Id, Signals.Kill);
        }
    }
}
