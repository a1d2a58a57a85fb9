using System.Text.Json;

namespace Postern.Interop.Tests.Matrix;

/// <summary>One login as the server's log has it; ordered for comparison.</summary>
internal sealed record AuditedLogin(string? User, string Outcome, string Reason)
{
    /// <summary>Stands for the word that hides a name which no account has.</summary>
    public const string Masked = "(unknown)";

    public static bool IsLine(string line, string mechanism) =>
        line.Contains("\"event\":\"login\"", StringComparison.Ordinal) && line.Contains($"\"mechanism\":\"{mechanism}\"", StringComparison.Ordinal);

    public static AuditedLogin Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        var user = json.RootElement.TryGetProperty("user", out var named) ? named.GetString() : null;
        return new AuditedLogin(
            user?.StartsWith("(unknown ", StringComparison.Ordinal) is true ? Masked : user, json.RootElement.GetProperty("outcome").GetString()!, json.RootElement.GetProperty("reason").GetString()!);
    }
}
