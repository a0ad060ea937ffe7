using Piku.Core.Model;

namespace Piku.Server.Hosting;

/// <summary>
/// Starts every thread of the pool before anything else, and lets it start no more. Where an app uses up the processes that
/// its user may have (RLIMIT_NPROC counts threads, getrlimit(2)), .NET ends a program whose pool wants one more thread.
/// <c>ThreadsToKeepAlive</c> in Piku.Server.csproj keeps them when they are idle.
/// </summary>
internal static class WorkerThreads
{
    /// <summary>All that is done in a daemon is short or asynchronous; more than a few wait for the disk at the same time at the most.</summary>
    private const int Fewest = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <exception cref="UserError">This user may have no more of them.</exception>
    public static void Start()
    {
        var count = Math.Max(Fewest, 2 * Environment.ProcessorCount);
        ThreadPool.GetMaxThreads(out _, out var completion);
        ThreadPool.SetMaxThreads(count, completion);
        ThreadPool.SetMinThreads(count, 1);
        var all = new TaskCompletionSource();
        var waiting = 0;
        try
        {
            // Each waits for all others, so none can do the work of two.
            for (var thread = 0; thread < count; thread++)
            {
                ThreadPool.UnsafeQueueUserWorkItem(together =>
                {
                    if (Interlocked.Increment(ref waiting) == count)
                        together.SetResult();
                    together.Task.Wait(Patience);
                }, all, preferLocal: false);
            }
        }
        catch (OutOfMemoryException noThread)
        {
            throw new UserError("the system lets this user have no more processes and threads; see 'ulimit -u', and what else runs as this user.", noThread);
        }
        all.Task.Wait(Patience);
    }
}
