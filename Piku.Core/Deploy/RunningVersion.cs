using Piku.Core.Git;

namespace Piku.Core.Deploy;

/// <summary>
/// A version that has been switched to and whose app is still locked. It is undone when disposed, unless
/// <see cref="KeepAsync"/> was called.
/// </summary>
public sealed class RunningVersion : IAsyncDisposable
{
    private readonly Func<Task> _undo;
    private readonly Func<Task> _keep;
    private readonly IDisposable _lock;
    private bool _kept;

    internal RunningVersion(DeployTarget target, Func<Task> keep, Func<Task> undo, IDisposable held) =>
        (Target, _keep, _undo, _lock) = (target, keep, undo, held);

    public DeployTarget Target { get; }

    /// <summary>The version is the app's; there is no way back any more.</summary>
    public async Task KeepAsync()
    {
        _kept = true;
        await _keep();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_kept)
                await _undo();
        }
        finally
        {
            _lock.Dispose();
        }
    }
}
