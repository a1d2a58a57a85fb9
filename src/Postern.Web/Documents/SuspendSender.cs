using Postern.Relay.Policy.Suspending;

namespace Postern.Web.Documents;

/// <param name="Lasts">In seconds.</param>
internal sealed record SuspendSender(SuspendedKind Of, string Name, string Reason, long Lasts);

internal sealed record ResumeSender(SuspendedKind Of, string Name);
