using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>A delivery to the mail exchangers of a domain, all of them sinks of the test at one port of different loopback addresses.</summary>
internal static class TlsRig
{
    public const string To = "b@there.test";

    public static DeliveryTls Policy(TlsLevel level, TlsOtherwise otherwise = TlsOtherwise.Defer, params string[] names) =>
        DeliveryTls.Create(new TlsRule("*", level) { Otherwise = otherwise, Names = [.. names] }, []).Tls!;

    public static DeliveryOptions Options(ScriptedDns dns, int port, DeliveryTls tls) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
        MxPort = port,
        Tls = tls,
    };

    /// <summary>mx.there.test takes the mail of there.test.</summary>
    public static Zones Zones() => new Zones().Mx("there.test", 10, "mx.there.test").A("mx.there.test", "127.0.0.1");

    /// <summary>With the record that is recommended.</summary>
    public static Zones Tlsa(this Zones zones, string host, int port, X509Certificate2 certificate) =>
        zones.Tlsa($"_{port}._tcp.{host}", 3, 1, 1, SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    public static async Task<DeliveryEvent> DeliverAsync(Zones zones, ScriptedSink sink, DeliveryTls tls, Func<Envelope, Envelope>? with = null, Func<DeliveryOptions, DeliveryOptions>? options = null)
    {
        await using var dns = zones.Serve();
        var all = Options(dns, sink.Port, tls);
        await using var rig = new DeliveryRig(options?.Invoke(all) ?? all);
        rig.Scheduler.Start();
        await rig.AddAsync(with ?? (static e => e), To);
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }
}
