using System.Runtime.InteropServices;

namespace Postern.Machine;

/// <summary>What is missing where Postern does not run on Linux, in one sentence.</summary>
internal static class OtherSystem
{
    /// <summary>Null on Linux.</summary>
    public static Problem? WhyNotServe() =>
        OperatingSystem.IsLinux()
            ? null
            : WhyNotServeOn(
                OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "macOS" : RuntimeInformation.OSDescription);

    public static Problem WhyNotServeOn(string system) => new(
        $"serve does not run on {system}: the spool, which rests on fdatasync and flock, is Linux only, and so are owners of files, "
            + $"crypt(3) hashes, Kerberos and the name behind a control command",
        "Run it on Linux, in a container or a virtual machine. The libraries Postern.Smtp and Postern.Sasl, "
            + "and commands that touch no queue, work here.");
}
