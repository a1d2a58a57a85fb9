using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Listeners;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp;

/// <summary>All that one set of options says, as services and the sockets they are reached by. A server exchanges it as a whole.</summary>
internal sealed class Services
{
    private readonly ConditionalWeakTable<SmtpListenerOptions, Service> handedOver = [];
    private readonly Func<SmtpServerOptions, SmtpListenerOptions, ListenerTls?, Service> make;

    /// <param name="options">Reviewed.</param>
    /// <param name="before">
    /// What these take the place of: handshakes that stay the same are kept with their session tickets, and so is what was offered instead.
    /// </param>
    /// <param name="make">Makes a service; the handshakes are those to use on, or null.</param>
    public Services(SmtpServerOptions options, Services? before, Func<SmtpServerOptions, SmtpListenerOptions, ListenerTls?, Service> make)
    {
        Options = options;
        this.make = make;
        Listeners = [.. options.Listeners.Select(listener => Make(listener, before))];
    }

    public SmtpServerOptions Options { get; }

    /// <summary>Those of the options' listeners, in their order.</summary>
    public ImmutableArray<Service> Listeners { get; }

    /// <summary>The sockets; empty before the start.</summary>
    public ImmutableArray<Binding> Bindings { get; private set; } = [];

    /// <summary>Before anybody else sees these: gives every endpoint its socket, as <see cref="Binding.Bind"/>.</summary>
    public void Bind(ImmutableArray<Binding> bound) => Bindings = Binding.Bind(Listeners, bound, Options.Clock);

    /// <summary>The service of a listener of the options, or of one that came with a stream.</summary>
    /// <exception cref="ArgumentException">It asks for something that the options lack.</exception>
    public Service For(SmtpListenerOptions listener) =>
        Listeners.FirstOrDefault(s => ReferenceEquals(s.Options, listener)) ?? handedOver.GetValue(listener, options =>
    {
        OptionsReview.Check(Options, options);
        return make(Options, options, null);
    });

    /// <summary>Null where connections to this socket are not wanted any more.</summary>
    public Service? Of(Acceptor acceptor)
    {
        foreach (var binding in Bindings)
        {
            if (binding.Acceptor == acceptor)
                return binding.Service;
        }

        return null;
    }

    /// <summary>What has become of the endpoints since.</summary>
    public AppliedListeners ComparedWith(Services before)
    {
        var old = before.Bindings.ToDictionary(static b => b.Acceptor, static b => b.Service);
        var (added, kept, changed) = (new List<AppliedEndpoint>(), new List<AppliedEndpoint>(), new List<AppliedEndpoint>());
        foreach (var binding in Bindings)
        {
            var list = !old.Remove(binding.Acceptor, out var service) ? added
                : service.Options.Equals(binding.Service.Options) ? kept
                : changed;
            list.Add(Of(binding));
        }

        return new AppliedListeners(added, kept, changed, [.. before.Bindings.Where(b => old.ContainsKey(b.Acceptor)).Select(Of)]);

        static AppliedEndpoint Of(Binding binding) => new(binding.Service.Options.Name, binding.Acceptor.Bound, binding.Acceptor.Sessions);
    }

    private Service Make(SmtpListenerOptions listener, Services? before)
    {
        var tls = before?.Listeners.FirstOrDefault(s => s.Options.Name == listener.Name)?.Tls;
        var made = make(
            Options,
            listener,
            tls is not null && Options.Tls is { } wanted && listener.Tls != TlsMode.None && tls.Suits(wanted, listener) ? tls : null);
        if (before?.Listeners.FirstOrDefault(s => ReferenceEquals(s.Options, listener))?.OfferedInstead is { } offered)
            made.Offer(offered);
        return made;
    }
}
