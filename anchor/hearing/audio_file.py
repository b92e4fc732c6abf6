def read_audio(data): raise NotImplementedError
