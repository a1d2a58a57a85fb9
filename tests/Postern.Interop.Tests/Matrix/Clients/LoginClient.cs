using System.Text.RegularExpressions;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>A client that can be told to log in.</summary>
internal abstract partial class LoginClient
{
    /// <summary>For the page.</summary>
    public abstract string Name { get; }

    /// <summary>What is not installed; null when nothing is missing.</summary>
    public virtual string? Missing => null;

    /// <summary>How often it is told that it is refused, before it believes it; 0 when it leaves without waiting for that.</summary>
    public virtual int RefusalsBy(string mechanism) => 1;

    /// <summary>Logs in; the reply of the server that ends the exchange.</summary>
    public abstract Task<string> LogInAsync(MatrixServer server, Login login);

    /// <summary>The reply in what a program has printed, or all of that where there is none.</summary>
    protected static string ReplyIn(ProgramResult run) => Reply().Match(run.Text) is { Success: true, Value: var reply } ? reply : $"no reply: {run.Text}";

    /// <summary>Null when the program is installed.</summary>
    protected static string? MissingProgram(string program) => Peer.Find(program) is null ? program : null;

    [GeneratedRegex(@"\b(235|[45]\d\d) \d\.\d\.\d [^\r\n]*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reply();
}
