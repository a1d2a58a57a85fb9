using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// One listener's handshakes. Their options are made once for each certificate and reused by every handshake: made anew, sessions could not
/// be resumed.
/// </summary>
internal sealed class ListenerTls
{
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");
    private static readonly ServerOptionsSelectionCallback ChooseFor = static (stream, hello, state, _) =>
        ((ListenerTls)state!).ChooseAsync((SecuredStream)stream, hello.ServerName);

    private readonly TlsOptions tls;
    private readonly SslProtocols protocols;
    private readonly bool asksForCertificate;
    private readonly HandshakeSlots slots;
    private readonly TlsCiphers? ciphers;
    private readonly string offer;
    private readonly Lock preparing = new();
    private volatile Prepared prepared;

    public ListenerTls(TlsOptions tls, SmtpListenerOptions listener, HandshakeSlots slots)
    {
        this.tls = tls;
        this.slots = slots;
        protocols = listener.TlsProtocols ?? tls.Protocols;
        ciphers = listener.Ciphers;
        offer = $"{VersionsOf(protocols)}; ciphers: {(ciphers ?? TlsCiphers.Modern).ToString().ToLowerInvariant()}";
        asksForCertificate = listener.AsksForClientCertificate;
        prepared = Prepare(tls.Current);
    }

    /// <summary>Whether these options ask for the same handshakes: then this is used on, with the tickets of its sessions.</summary>
    public bool Suits(TlsOptions tls, SmtpListenerOptions listener) =>
        ReferenceEquals(tls, this.tls)
        && (listener.TlsProtocols ?? tls.Protocols) == protocols
        && listener.Ciphers == ciphers
        && listener.AsksForClientCertificate == asksForCertificate;

    /// <summary>
    /// Runs the server side of a handshake over <paramref name="network"/>; throws what <see cref="SslStream"/> throws when it fails.
    /// </summary>
    /// <param name="made">Told of the stream before anything is awaited: whoever ends the session disposes it.</param>
    public async Task<SecuredStream> HandshakeAsync(Stream network, Action<SecuredStream> made, CancellationToken ct)
    {
        var paced = new HandshakeStream(network, slots);
        var secured = new SecuredStream(paced);
        made(secured);
        try
        {
            await secured.AuthenticateAsServerAsync(ChooseFor, this, ct);
            return secured;
        }
        catch (Exception e)
        {
            secured.Trouble = HandshakeTrouble.OfClient(
                e, paced.First, secured.HelloFor(protocols) is { } hello ? $"{offer}; it speaks up to {hello.VersionName}" : offer);
            throw;
        }
        finally
        {
            paced.EndHandshake();
        }
    }

    private static string VersionsOf(SslProtocols protocols)
    {
#pragma warning disable CA5397, SYSLIB0039 // named, not used
        (SslProtocols Protocol, string Name)[] known =
        [
            (SslProtocols.Tls, "1.0"), (SslProtocols.Tls11, "1.1"), (SslProtocols.Tls12, "1.2"), (SslProtocols.Tls13, "1.3"),
        ];
#pragma warning restore CA5397, SYSLIB0039
        return "TLS " + string.Join(", ", known.Where(k => protocols.HasFlag(k.Protocol)).Select(static k => k.Name));
    }

    private ValueTask<SslServerAuthenticationOptions> ChooseAsync(SecuredStream stream, string serverName)
    {
        var now = tls.Current;
        var options = prepared;
        if (options.Set != now)
        {
            lock (preparing)
            {
                options = prepared;
                if (options.Set != now)
                    prepared = options = Prepare(now);
            }
        }

        var found = now.Find(serverName);
        stream.Shown = now.HasBothKinds && stream.HelloFor(protocols) is { } hello ? now.Suited(found, hello) : found;
        return new(options.Options[stream.Shown]);
    }

    private Prepared Prepare(CertificateSet set) => new(set, set.All.Distinct().ToFrozenDictionary(static c => c, OptionsForAsync));

    private async Task<SslServerAuthenticationOptions> OptionsForAsync(TlsCertificate certificate)
    {
        if (ciphers is not { } own)
            return OptionsFor(certificate.Context);
        var options = OptionsFor(certificate.NewContext());
        await CipherGrant.GiveAsync(options, own).ConfigureAwait(false);
        return options;
    }

    private SslServerAuthenticationOptions OptionsFor(SslStreamCertificateContext context)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = context,
            EnabledSslProtocols = protocols,
            AllowRenegotiation = false,
            ClientCertificateRequired = asksForCertificate,
        };
        if (asksForCertificate)
        {
            // A stranger's certificate names addresses to fetch its issuers from: nothing is ever fetched.
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.ApplicationPolicy.Add(ClientAuthentication);
#pragma warning disable CA5359 // nothing rests on it: what is wrong with it is noted, and none is a client's right
            options.RemoteCertificateValidationCallback = SecuredStream.NoteClientCertificate;
#pragma warning restore CA5359
        }

        return options;
    }

    private sealed record Prepared(CertificateSet Set, FrozenDictionary<TlsCertificate, Task<SslServerAuthenticationOptions>> Options);
}

/// <summary>The server side of TLS, which remembers what it showed and what it was shown.</summary>
internal sealed class SecuredStream(HandshakeStream network) : SslStream(network, leaveInnerStreamOpen: false)
{
    /// <summary>What the client offers; null where it cannot be read.</summary>
    public ClientHello? HelloFor(SslProtocols spoken) => ClientHello.Read(network.First, spoken);

    /// <summary>The certificate of this handshake.</summary>
    public TlsCertificate? Shown { get; set; }

    /// <summary>Why the handshake failed; null while it has not.</summary>
    public string? Trouble { get; set; }

    public ClientCertificate? ClientCertificate { get; private set; }

    /// <summary>Once the handshake is over.</summary>
    public TlsFacts Facts =>
        new(SslProtocol, NegotiatedCipherSuite.ToString(), TargetHostName is { Length: > 0 } name ? name : null)
        {
            ClientCertificate = ClientCertificate,
        };

    /// <summary>
    /// Writes down what the client showed, and lets it pass: none is required, and what a bad one is worth is not decided here.
    /// </summary>
    public static bool NoteClientCertificate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (sender is SecuredStream stream && certificate is X509Certificate2 shown)
            stream.ClientCertificate = ClientCertificateReader.Read(shown, chain, errors);
        return true;
    }
}
