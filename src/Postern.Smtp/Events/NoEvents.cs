namespace Postern.Smtp.Events;

internal sealed class NoEvents : ISmtpEvents
{
    public static NoEvents Instance { get; } = new();
}
