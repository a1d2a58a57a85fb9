namespace Postern.Configuration.Reading;

internal delegate bool TryRead<T>(string text, out T value);
