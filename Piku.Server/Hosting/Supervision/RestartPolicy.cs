namespace Piku.Server.Hosting.Supervision;

/// <summary>
/// How long to wait before a program that has ended is started again: each failure doubles the wait up to the
/// longest, and a run that was long enough to count as healthy begins anew.
/// </summary>
internal sealed record RestartPolicy(TimeSpan Shortest, TimeSpan Longest, TimeSpan HealthyAfter)
{
    public static readonly RestartPolicy Default =
        new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30), HealthyAfter: TimeSpan.FromSeconds(60));

    /// <param name="previous">The wait before the run that has just ended; null before the first.</param>
    /// <param name="lived">How long that run lasted.</param>
    public TimeSpan WaitAfter(TimeSpan? previous, TimeSpan lived) =>
        previous is not { } wait || lived >= HealthyAfter ? Shortest
        : wait * 2 < Longest ? wait * 2
        : Longest;
}
