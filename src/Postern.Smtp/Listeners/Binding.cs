using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Listeners;

/// <summary>A bound socket and the service that connections accepted there get.</summary>
internal sealed record Binding(Service Service, Acceptor Acceptor)
{
    /// <summary>
    /// Gives every endpoint of the services a socket: the one that is bound to it already, or a new one. Port 0 names a socket only
    /// together with the listener. What is bound and not wanted any more stays open: the caller closes it.
    /// </summary>
    /// <exception cref="ListenException">
    /// One cannot be bound; then what was bound for this call is closed, and all that was bound before is as it was.
    /// </exception>
    public static ImmutableArray<Binding> Bind(IEnumerable<Service> services, ImmutableArray<Binding> bound, TimeProvider clock)
    {
        var left = bound.ToList();
        var wanted = new List<(Service Service, IPEndPoint Endpoint, Acceptor? Kept)>();
        foreach (var service in services)
        {
            foreach (var endpoint in service.Options.Endpoints)
            {
                var kept = left.Find(
                    b => b.Acceptor.Endpoint.Equals(endpoint) && (endpoint.Port != 0 || b.Service.Options.Name == service.Options.Name));
                if (kept is not null)
                    left.Remove(kept);
                wanted.Add((service, endpoint, kept?.Acceptor));
            }
        }

        List<Acceptor> retiring = [.. left.Select(static b => b.Acceptor)];
        List<Acceptor> fresh = [];
        var made = ImmutableArray.CreateBuilder<Binding>(wanted.Count);
        try
        {
            foreach (var (service, endpoint, kept) in wanted)
            {
                var acceptor = kept ?? Acceptor.Bind(service.Options.Name, endpoint, retiring, clock);
                if (kept is null)
                    fresh.Add(acceptor);
                made.Add(new Binding(service, acceptor));
            }
        }
        catch (ListenException)
        {
            fresh.ForEach(static a => a.Close());
            throw;
        }

        return made.MoveToImmutable();
    }
}
