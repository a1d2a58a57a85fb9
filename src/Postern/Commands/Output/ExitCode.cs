namespace Postern.Commands.Output;

/// <summary>What a command's exit code says.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The answer is no, or the check failed, or the thing asked for could not be done.</summary>
    public const int No = 1;

    /// <summary>Wrong usage or wrong configuration.</summary>
    public const int Usage = 2;
}
