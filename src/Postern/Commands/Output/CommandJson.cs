using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Commands.Accounts;
using Postern.Commands.Auth;
using Postern.Commands.Dkim;
using Postern.Commands.Explain;
using Postern.Hosting.Live;
using Postern.Web.Documents;

namespace Postern.Commands.Output;

/// <summary>Every document that <c>--json</c> prints. Names are stable; new ones may be added.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    Converters = [typeof(EventConverter)])]
[JsonSerializable(typeof(AuthTestDocument))]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(TlsCheckDocument))]
[JsonSerializable(typeof(CasesDocument))]
[JsonSerializable(typeof(PolicyDiffDocument))]
[JsonSerializable(typeof(BackupDocument))]
[JsonSerializable(typeof(ImportDocument))]
[JsonSerializable(typeof(DkimCheckDocument))]
[JsonSerializable(typeof(DomainCheckDocument))]
internal sealed partial class CommandJson : JsonSerializerContext
{
    /// <summary>Readable in a terminal: only what JSON itself demands is escaped, control characters among it.</summary>
    public static CommandJson Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>What <c>postern backup --json</c> prints.</summary>
/// <param name="Damage">One reason for each stretch of the queue that cannot be read.</param>
internal sealed record BackupDocument(string Directory, int Segments, int Messages, string[] Damage)
{
    /// <summary>Messages of this machine's users that were not queued yet.</summary>
    public int Dropped { get; init; }

    /// <summary>Messages whose kept content was copied; null where it was left out.</summary>
    public int? Kept { get; init; }
}

/// <summary>What <c>postern check --json</c> prints.</summary>
internal sealed record CheckDocument(
    bool Ok, string Source, ImmutableArray<CheckDocument.Finding> Errors, ImmutableArray<CheckDocument.Finding> Warnings)
{
    /// <summary>Those that were tried; null without <c>--live</c>.</summary>
    public ImmutableArray<StoreTrialOutcome>? Stores { get; init; }

    /// <summary>What is put up with from printers and scanners.</summary>
    public ImmutableArray<DeviceDocument> Devices { get; init; } = [];

    /// <param name="Line">0 where no place in the file is meant.</param>
    internal sealed record Finding(string? File, int Line, int Column, string Key, string Message, string? Expected, string? Nearest);
}
