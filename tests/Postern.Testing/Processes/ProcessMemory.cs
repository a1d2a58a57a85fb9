using System.Globalization;

namespace Postern.Testing.Processes;

/// <summary>What Linux counts for a process, in octets (proc_pid_status(5)).</summary>
public static class ProcessMemory
{
    /// <summary>In memory now.</summary>
    public static long Resident(int process) => Read(process, "VmRSS:");

    /// <summary>The most that was in memory since the start, or since <see cref="ForgetPeak"/>.</summary>
    public static long Peak(int process) => Read(process, "VmHWM:");

    public static void ForgetPeak(int process) => File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/clear_refs"), "5");

    private static long Read(int process, string name)
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status")).First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture) * 1024;
    }
}
