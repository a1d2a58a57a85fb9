using System.Security.Cryptography.X509Certificates;

namespace Postern.Testing.Sinks;

/// <summary>What a <see cref="ScriptedSink"/> is.</summary>
public sealed record SinkOptions
{
    /// <summary>Keywords of its EHLO reply; STARTTLS is added where there is a certificate.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = ["PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES"];

    public X509Certificate2? Certificate { get; init; }

    /// <summary>Issuers that are sent with it.</summary>
    public X509Certificate2Collection? Chain { get; init; }

    public bool ImplicitTls { get; init; }

    /// <summary>Asks for a certificate in the handshake; its thumbprint stands in the transcript.</summary>
    public bool AsksForCertificate { get; init; }

    /// <summary>A chunk for nobody is refused at once, and what stands in it is obeyed: servers like that exist.</summary>
    public bool TakesRefusedChunksForCommands { get; init; }

    /// <summary>Every command that has come behind a message before that is answered is refused for its place: Haraka 3.3.4 and later.</summary>
    public bool RefusesWhatIsSentAhead { get; init; }

    /// <summary>Asked at each phase with the client's line and the number of the connection, from 0; null: behave.</summary>
    public Func<SinkPhase, string, int, SinkAction?> Script { get; init; } = static (_, _, _) => null;

    /// <summary>Gets each message in the place of <see cref="ScriptedSink.Messages"/>, which then keeps none; on any thread.</summary>
    public Action<SinkMessage>? Taken { get; init; }

    /// <summary>Misbehaves at one phase of every connection.</summary>
    public static SinkOptions At(SinkPhase phase, SinkAction action) => new() { Script = (p, _, _) => p == phase ? action : null };
}
