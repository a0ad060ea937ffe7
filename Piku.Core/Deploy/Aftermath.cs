namespace Piku.Core.Deploy;

/// <summary>
/// What is still being done when whoever asked for it has their answer, such as the end of the version before. A process
/// that ends should wait for it; if it cannot, recovery does it.
/// </summary>
public sealed class Aftermath
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _open = [];

    /// <summary>All that has been begun is done.</summary>
    /// <exception cref="Exception">As the first that failed did, since this was last asked.</exception>
    public Task WhenDone()
    {
        lock (_gate)
        {
            var all = Task.WhenAll(_open);
            _open.RemoveWhere(task => task.IsFaulted);
            return all;
        }
    }

    internal void Add(Task work)
    {
        lock (_gate)
        {
            _open.RemoveWhere(task => task.IsCompletedSuccessfully);
            _open.Add(work);
        }
    }
}
