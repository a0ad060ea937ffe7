using System.Diagnostics;
using System.Security.Cryptography;

namespace Piku.Tests.Running;

/// <summary>
/// How slow this machine is at present, beside a quiet one of two cores. Every limit of a test is for the quiet machine
/// and is multiplied by it, so that a slow disk, one core or a busy neighbour makes a test last longer and not fail.
/// </summary>
internal static class Pace
{
    /// <summary>What <see cref="Work"/> takes on a quiet machine of two cores with a disk that flushes in a millisecond or two.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Samples that count: those of about the last minute.</summary>
    private const int Samples = 30;

    /// <summary>A stall of a second is no reason to wait for an hour.</summary>
    private const double Most = 30;

    private static readonly Queue<double> Recent = new();
    private static double _factor = Begin();

    /// <summary>Never below 1.</summary>
    public static double Factor => Volatile.Read(ref _factor);

    /// <summary>A time for the quiet machine, as it is for this one now.</summary>
    public static TimeSpan Scale(TimeSpan quiet) => quiet * Factor;

    private static double Begin()
    {
        for (var i = 0; i < 5; i++)
            Measure();
        // A thread of its own: what it measures must not be how busy the tests keep the pool.
        new Thread(() =>
        {
            while (true)
            {
                Thread.Sleep(Pause);
                Volatile.Write(ref _factor, Measure());
            }
        })
        { IsBackground = true, Name = nameof(Pace) }.Start();
        return Measure();
    }

    private static double Measure()
    {
        var clock = Stopwatch.StartNew();
        Work();
        Recent.Enqueue(Math.Clamp(clock.Elapsed / Quiet, 1, Most));
        while (Recent.Count > Samples)
            Recent.Dequeue();
        return Recent.Average();
    }

    /// <summary>A little of each thing that the tests wait for: a program's start, computing, and a file on the disk.</summary>
    private static void Work()
    {
        using (var program = Process.Start(new ProcessStartInfo("/bin/true") { UseShellExecute = false }))
            program?.WaitForExit();
        SHA512.HashData(new byte[1 << 20]);
        var path = Path.Combine(Path.GetTempPath(), $"piku-pace-{Environment.ProcessId}");
        using (var file = new FileStream(path, FileMode.Create))
        {
            file.Write(new byte[4096]);
            file.Flush(flushToDisk: true);
        }
        File.Delete(path);
    }
}
